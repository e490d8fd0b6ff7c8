"""Which of two machines' cursors of a stream counts, and what else their joined state holds."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from dlt.common.time import increasing_precise_time

from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import Begin, StreamState, Stretch, dump_state
from pipedream_source.running.load import dlt_load
from pipedream_source.running.state.cursors import better_cursor, joined

HOUR = 3_600_000
START = 1_790_000_000_000


def cursor(
    polled_h: int | None, last_h: int | None, begins: Begin = Begin.WINDOW, opened_h: int = 0
) -> dict[str, Any]:
    """A packed state; all times are hours, and a stretch begins with the first of its windows."""
    at = START + opened_h * HOUR
    return dump_state(
        StreamState(
            last_loaded_id=None if last_h is None else EventId(START + last_h * HOUR, 0),
            polled_at_ms=None if polled_h is None else START + polled_h * HOUR,
            stretch=Stretch(begins, EventId(at, 0), at, at),
        )
    )


KNOWN = cursor(polled_h=4, last_h=3)


@pytest.mark.parametrize(
    ("other", "is_better"),
    [
        (cursor(polled_h=3, last_h=3), False),
        (cursor(polled_h=5, last_h=5), True),
        # A first poll whose window does not reach down to the last known event, and one that does.
        (cursor(polled_h=6, last_h=6, opened_h=5), False),
        (cursor(polled_h=6, last_h=6, opened_h=2), True),
        (cursor(polled_h=6, last_h=6, begins=Begin.ORIGIN, opened_h=5), True),
        # Its gap was told.
        (cursor(polled_h=6, last_h=6, begins=Begin.GAP, opened_h=5), True),
        ({}, False),
    ],
)
def test_the_cursor_that_loses_nothing_counts(other: dict, *, is_better: bool) -> None:
    expected = other if is_better else KNOWN
    assert better_cursor(KNOWN, other) == better_cursor(other, KNOWN) == expected


def test_a_first_poll_counts_where_the_other_machine_only_failed() -> None:
    failed, first = cursor(polled_h=None, last_h=3), cursor(polled_h=6, last_h=6, opened_h=5)
    assert better_cursor(failed, first) == better_cursor(first, failed) == first


@pytest.mark.parametrize(("seen", "digest"), [(["1.0"], "new"), ([], "")])
def test_objects_are_written_again_where_neither_machine_knew_of_the_other(
    seen: list[str], digest: str
) -> None:
    def state(load_id: str, seen: list[str], digest: str) -> dict[str, Any]:
        resources = {"sources": {"digest": digest}}
        return {"pipedream": {"last_load_id": load_id, "seen": seen, "resources": resources}}

    found = joined(state("2.0", seen, "new"), state("1.0", [], "old"))
    assert found["pipedream"]["resources"]["sources"]["digest"] == digest


def test_two_machines_behind_a_third_one_do_not_give_the_same_load_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead = time.time() + 3600
    pipeline = SimpleNamespace(
        state={"sources": {"pipedream": {"last_load_id": str(ahead)}}},
        list_extracted_load_packages=list,
        list_normalized_load_packages=list,
        list_completed_load_packages=list,
    )
    given = []
    for _ in range(2):
        monkeypatch.setattr(increasing_precise_time, "_last", 0.0)
        dlt_load._keep_load_ids_rising(cast(Any, pipeline))
        given.append(increasing_precise_time())
    assert ahead < given[0] != given[1] > ahead
