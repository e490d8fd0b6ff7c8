"""What the stored rows of a stream prove, period by period."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipedream_source.core.completeness.gap_times import dated
from pipedream_source.core.completeness.proof import Evidence, Segment, Standing, prove

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
    period = {name: more.pop(name) for name in ("since", "until") if name in more}
    return prove(Evidence(stretches, gaps, **more), **period)


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


def test_what_polls_of_an_idle_stream_proved_stays_proven() -> None:
    """Rows of older versions start at the last event, days before the last poll."""
    rows = stretch(0, 5000, None, until_id=id_at(10)), stretch(5200, 5300, 5100, begins="gap")
    for verdict, lost in (("overrun", "lost"), ("purged", "unknown"), ("regressed", "unknown")):
        found = proven(*rows, gaps=(gap(5200, 10, 5100, verdict),))
        assert told(found)[:2] == [("complete", None, 4999), (lost, 4999, 5100)]


def test_gaps_are_dated_by_what_the_polls_before_them_proved() -> None:
    key = {"emitter_id": "dc_1", "channel": ""}
    rows = [
        stretch(0, 5000, None) | key,
        stretch(5200, 5300, 5100, begins="gap") | key,
        stretch(0, 9000, None) | key | {"channel": "other"},
    ]

    def period(row: dict[str, Any]) -> tuple[float, float]:
        (found,) = dated([row | key], rows)
        assert found | {"gap_start": 0, "gap_end": 0} == row | key | {"gap_start": 0, "gap_end": 0}
        times = found["gap_start"], found["gap_end"]
        return tuple((moment - NOON) / timedelta(minutes=1) for moment in times)

    assert period(gap(5200, 10, 5100)) == (4999, 5100)
    assert period(gap(5200, 4999.5, 5100)) == (4999.5, 5100)
    assert period(gap(9000, 5250, 5400)) == (5299, 5400)
    restored = gap(5200, 4, 10, "regressed") | {"after_id": id_at(10), "before_id": id_at(4)}
    assert period(restored) == (4999, 5200)
    assert period(gap(5200, 10, 5150, "purged") | {"before_id": ""}) == (4999, 5150)
    # Ids that run behind the polls, and a stream that was not known before.
    assert period(gap(5200, 10, 4000)) == (10, 4000)
    assert period(gap(-5, -20, -10)) == (-20, -10)


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
    for verdict in ("purged", "regressed"):
        found = proven(*rows, gaps=(gap(70, 59, 65, verdict),))
        assert told(found)[1:] == [("unknown", 59, 70), ("complete", 70, 80)]
        assert found[1].lost_max is None


def test_a_contradiction_that_was_settled_later_is_none() -> None:
    assert told(proven(stretch(0, 60, None), gaps=(gap(30, 20, 25, "unknown"),))) == [
        ("complete", None, 60)
    ]


def test_a_contradiction_that_was_never_settled_is_a_hole() -> None:
    rows = stretch(0, 60, None), stretch(70, 90, 65, begins="gap")
    found = proven(*rows, gaps=(gap(70, 50, 65, "unknown"),))
    assert told(found) == [("complete", None, 59), ("unknown", 59, 65), ("complete", 65, 90)]


def test_a_lost_cursor_is_no_hole_when_windows_overlap() -> None:
    first = stretch(0, 60, None)
    over = proven(first, stretch(70, 80, 50))
    assert told(over) == [("complete", None, 60), ("complete", 50, 80)]
    apart = proven(first, stretch(70, 80, 65))
    assert told(apart)[1] == ("unobserved", 60, 65)
    assert "cursor" in apart[1].why


def test_what_was_left_out_is_a_hole_and_keeps_its_gap() -> None:
    cut = stretch(70, 80, 68, begins="since")
    assert told(proven(stretch(0, 60, None), cut))[1] == ("excluded", 60, 68)
    both = proven(stretch(0, 60, None), cut, gaps=(gap(70, 59, 62),))
    assert told(both)[1:3] == [("lost", 59, 62), ("excluded", 62, 68)]


def test_a_database_of_an_older_version_keeps_its_gaps() -> None:
    found = proven(stretch(70, 80, 65, begins="gap"), gaps=(gap(70, 59, 65),), since=at(0))
    assert told(found) == [("unobserved", 0, 59), ("lost", 59, 65), ("complete", 65, 80)]


def test_rows_removed_from_the_tables_take_the_proof_along() -> None:
    row = stretch(0, 60, None)
    (found,) = proven(row, gone={(at(0), "0-0"): 2})
    assert (found.standing, found.why[:17]) == (Standing.UNKNOWN, "2 of its 7 events")
    (other,) = proven(row, gone={(at(0), "1-0"): 2})
    assert other.standing is Standing.COMPLETE


def test_what_the_last_load_did_not_read_is_not_complete() -> None:
    row = stretch(0, 60, None)
    failing = {"verdict": "unknown", "failures": 2, "last_error": "status 500"}
    left: Any = {"is_current": False, "latest": at(90)}
    found = proven(row, status=failing, **left)
    assert told(found)[1] == ("unobserved", 60, 90)
    assert found[1].why == "status 500"
    lying = {"verdict": "unknown", "failures": 0, "last_error": None}
    assert told(proven(row, status=lying, **left))[1][0] == "unknown"
    silent = proven(row, **left)
    assert "not polled" in silent[1].why
    assert told(proven(row, latest=at(90))) == [("complete", None, 60)]


def test_no_statement_reaches_past_the_last_poll() -> None:
    row, whole = stretch(0, 60, None), ("complete", None, 60)
    found = proven(row, until=at(90))
    assert told(found) == [whole, ("unobserved", 60, 90)]
    assert "no poll" in found[1].why
    assert told(proven(row, until=at(60))) == [whole]
    assert told(proven(row, since=at(70), until=at(90))) == [("unobserved", 70, 90)]
    lying = {"verdict": "unknown", "failures": 0, "last_error": None}
    left: Any = {"is_current": False, "latest": at(70), "until": at(90), "status": lying}
    assert told(proven(row, **left)) == [whole, ("unknown", 60, 70), ("unobserved", 70, 90)]
    # An emitter's clock that runs ahead takes no statement along.
    ahead = stretch(70, 80, 200, begins="gap")
    hole = ("lost", 59, 80)
    assert told(proven(row, ahead, gaps=(gap(70, 59, 200),))) == [
        ("complete", None, 59),
        hole,
        ("complete", 80, 80),
    ]


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
    assert told([found]) == [("complete", 0, 0)]


def test_a_first_poll_within_the_second_of_a_gap_is_not_opened_by_it() -> None:
    """The API's `Date` counts seconds: both stretches are then opened at the same time."""
    first, second = stretch(0, 0, -30), stretch(0, 10, -1, begins="gap")
    found = proven(first, second, gaps=(gap(0, -5, -1),))
    assert [s.standing.value for s in found] == ["complete", "lost", "complete"]


def test_a_stream_that_ended_is_no_hole() -> None:
    status = {
        "verdict": "ended",
        "failures": 0,
        "last_error": "it has ended",
        "last_polled_at": at(60),
    }
    kept = [stretch(0, 60, None)]
    ended = Evidence(kept, status=status, is_current=False, latest=at(90))
    assert told(prove(ended)) == [("complete", None, 60), ("ended", 60, 90)]
    assert prove(ended)[-1].why == "it has ended"
    # Behind the last poll of all nobody knows.
    assert told(prove(ended, until=at(99)))[1:] == [("ended", 60, 90), ("unobserved", 90, 99)]
    never = Evidence(status=status, is_current=False, latest=at(90))
    assert told(prove(never)) == [("ended", None, 90)]
    # A poll that contradicted itself shortly before its end opened no stretch, and counts.
    doubt = (gap(70, 59, 65, "unknown"),)
    doubted = Evidence(kept, doubt, status=status, is_current=False, latest=at(90))
    assert told(prove(doubted)) == [("complete", None, 60), ("unknown", 60, 70), ("ended", 70, 90)]
    first = Evidence((), doubt, status=status, is_current=False, latest=at(70))
    assert told(prove(first)) == [("unknown", None, 70)]
    alone = Evidence(status=status, is_current=False)
    assert prove(alone) == []
