"""What the stored rows of a stream prove, period by period."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipedream_source.core.proof import Evidence, Segment, Standing, prove

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def id_at(minutes: float, seq: int = 0) -> str:
    return f"{int(at(minutes).timestamp() * 1000)}-{seq}"


def stretch(opened: float, until: float, start: float | None, **more: Any) -> dict[str, Any]:
    """A row of `stream_coverage`; its newest event came a minute before its last poll."""
    return {
        "from_id": "0-0" if start is None else id_at(start),
        "opened_at": at(opened),
        "begins": "origin" if start is None else "window",
        "covered_from": None if start is None else at(start),
        "covered_until": at(until),
        "until_id": id_at(until - 1),
        "polls": 2,
        "longest_pause_s": 60.0,
        "events": 7,
    } | more


def gap(detected: float, start: float, end: float, verdict: str = "overrun") -> dict[str, Any]:
    return {
        "verdict": verdict,
        "after_id": id_at(start),
        "before_id": id_at(end),
        "gap_start": at(start),
        "gap_end": at(end),
        "lost_min": 1,
        "lost_likely": 5 if verdict == "overrun" else None,
        "lost_max": 9 if verdict == "overrun" else None,
        "detected_at": at(detected),
    }


def proven(*stretches: dict[str, Any], gaps: tuple = (), **more: Any) -> list[Segment]:
    stored = {(row["opened_at"], row["from_id"]): 7 for row in stretches}
    period = {name: more.pop(name) for name in ("since", "until") if name in more}
    return prove(Evidence(stretches, gaps, **{"stored": stored} | more), **period)


def told(segments: list[Segment]) -> list[tuple[str, float | None, float]]:
    """Standing, start and end in minutes after noon."""

    def minutes(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - NOON) / timedelta(minutes=1)

    return [(s.standing.value, minutes(s.start), minutes(s.end) or 0) for s in segments]


def test_one_stretch_from_the_beginning() -> None:
    (found,) = proven(stretch(0, 60, None))
    assert told([found]) == [("complete", None, 60)]
    assert (found.polls, found.opened_at, found.longest_pause_s) == (2, at(0), 60.0)
    assert (found.from_id, found.to_id) == (None, id_at(59))


def test_what_came_before_a_full_first_window_counts_only_if_asked_for() -> None:
    row = stretch(0, 60, -30)
    assert told(proven(row)) == [("complete", -30, 60)]
    asked = proven(row, since=at(-90))
    assert told(asked) == [("unobserved", -90, -30), ("complete", -30, 60)]
    assert "full" in asked[0].why
    assert told(proven(row, since=at(10), until=at(20))) == [("complete", 10, 20)]


def test_a_gap_lies_between_its_ids_and_not_between_the_polls() -> None:
    rows = stretch(0, 60, None), stretch(70, 80, 65, begins="gap")
    found = proven(*rows, gaps=(gap(70, 59, 65),))
    assert told(found) == [("complete", None, 59), ("lost", 59, 65), ("complete", 65, 80)]
    assert (found[1].lost_min, found[1].lost_likely, found[1].lost_max) == (1, 5, 9)
    assert (found[1].from_id, found[1].to_id) == (id_at(59), id_at(65))
    only = proven(*rows, gaps=(gap(70, 59, 65),), since=at(66))
    assert told(only) == [("complete", 66, 80)]


def test_ids_that_run_behind_the_polls_prove_nothing_behind_the_last_event() -> None:
    rows = stretch(0, 60, None), stretch(70, 80, 55, begins="gap")
    late = gap(70, 50, 55) | {"gap_start": at(55)}
    assert told(proven(*rows, gaps=(late,))) == [
        ("complete", None, 50),
        ("lost", 50, 55),
        ("complete", 55, 80),
    ]
    first = late | {"after_id": "0-0"}
    assert told(proven(*rows, gaps=(first,))) == [("lost", None, 55), ("complete", 55, 80)]
    assert told(proven(*rows, gaps=(first,), since=at(20)))[0] == ("lost", 20, 55)


def test_deleted_and_restored_streams_are_unknown_in_between() -> None:
    rows = stretch(0, 60, None), stretch(70, 80, 70, begins="gap")
    for verdict, start in (("purged", 59), ("regressed", 60)):
        found = proven(*rows, gaps=(gap(70, 59, 65, verdict),))
        assert told(found)[1:] == [("unknown", start, 70), ("complete", 70, 80)]
        assert found[1].lost_max is None


def test_a_contradiction_that_was_settled_later_is_none() -> None:
    assert told(proven(stretch(0, 60, None), gaps=(gap(30, 20, 25, "unknown"),))) == [
        ("complete", None, 60)
    ]


def test_a_lost_cursor_is_no_hole_when_windows_overlap() -> None:
    first = stretch(0, 60, None)
    over = proven(first, stretch(70, 80, 50))
    assert told(over) == [("complete", None, 60), ("complete", 50, 80)]
    apart = proven(first, stretch(70, 80, 65))
    assert told(apart)[1] == ("unobserved", 60, 65)
    assert "cursor" in apart[1].why


def test_what_was_left_out_is_a_hole_and_keeps_its_gap() -> None:
    cut = stretch(70, 80, 68, begins="since")
    assert told(proven(stretch(0, 60, None), cut))[1] == ("unobserved", 60, 68)
    both = proven(stretch(0, 60, None), cut, gaps=(gap(70, 59, 62),))
    assert told(both)[1:3] == [("lost", 59, 62), ("unobserved", 62, 68)]


def test_a_database_of_an_older_version_keeps_its_gaps() -> None:
    found = proven(stretch(70, 80, 65, begins="gap"), gaps=(gap(70, 59, 65),), since=at(0))
    assert told(found) == [("unobserved", 0, 59), ("lost", 59, 65), ("complete", 65, 80)]


def test_rows_removed_from_the_tables_take_the_proof_along() -> None:
    row = stretch(0, 60, None)
    (found,) = proven(row, stored={(at(0), "0-0"): 5})
    assert (found.standing, found.why[:17]) == (Standing.UNKNOWN, "2 of its 7 events")
    (none,) = proven(row, stored={})
    assert none.standing is Standing.UNKNOWN
    (more,) = proven(row, stored={(at(0), "0-0"): 9})
    assert more.standing is Standing.COMPLETE


def test_what_the_last_load_did_not_read_is_not_complete() -> None:
    row = stretch(0, 60, None)
    failing = {"verdict": "unknown", "failures": 2, "last_error": "status 500"}
    found = proven(row, status=failing, is_current=False, until=at(90))
    assert told(found)[1] == ("unobserved", 60, 90)
    assert found[1].why == "status 500"
    lying = {"verdict": "unknown", "failures": 0, "last_error": None}
    assert told(proven(row, status=lying, is_current=False, until=at(90)))[1][0] == "unknown"
    silent = proven(row, is_current=False, until=at(90))
    assert "not polled" in silent[1].why
    assert told(proven(row, until=at(90))) == [("complete", None, 60)]


def test_a_stream_that_could_never_be_read() -> None:
    status = {"verdict": "unknown", "failures": 1, "last_error": "gone", "last_polled_at": None}
    assert told(proven(status=status, until=at(9))) == [("unobserved", None, 9)]
    assert told(proven(status=status)) == []


def test_the_order_of_rows_does_not_matter_and_no_clock_resolves_everything() -> None:
    """Two polls within a second of the API's clock: the rows themselves tell which was first."""
    first, second = stretch(0, 60, -9), stretch(60, 60, 55, begins="gap", until_id=id_at(59))
    rows = [second, first]
    assert told(proven(*rows, gaps=(gap(60, 50, 55),))) == [
        ("complete", -9, 50),
        ("lost", 50, 55),
        ("complete", 55, 60),
    ]


def test_times_never_run_backwards() -> None:
    """The API's `Date` counts whole seconds, ids milliseconds."""
    (found,) = proven(stretch(0, 0, 0.01))
    assert told([found]) == [("complete", 0.01, 0.01)]


def test_a_first_poll_within_the_second_of_a_gap_is_not_opened_by_it() -> None:
    """The API's `Date` counts seconds: both stretches are then opened at the same time."""
    first, second = stretch(0, 0, -30), stretch(0, 10, -1, begins="gap")
    found = proven(first, second, gaps=(gap(0, -5, -1),))
    assert [s.standing.value for s in found] == ["complete", "lost", "complete"]
