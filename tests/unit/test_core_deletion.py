"""Whether a deletion of ours explains a window without overlap."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pytest

from pipedream_source.core.completeness.deletion import Deletion, accepted, judge_with
from pipedream_source.core.polls.window import Judgement, Verdict, judge
from pipedream_source.core.streams.absence import Absence
from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.streams.stream_state import StreamState, WindowShape
from tests.unit.windows import HOUR, NOW, ids, seen, window

LAST = 49
GONE = Absence(3, NOW, NOW, has_ended=True)


def deletion(until: int = LAST, start: int | None = None, proven: int = 0) -> Deletion:
    first = ORIGIN if start is None else place(start)
    return Deletion(first, place(until), place(proven))


def place(number: int) -> EventId:
    return ids([number])[0]


def told(state: StreamState, shown: list[EventId], *deletions: Deletion) -> Judgement:
    polled = window(shown, at=NOW + HOUR)
    return accepted(state, judge(state, polled), polled, deletions)


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (deletion(), Verdict.CONTIGUOUS),
        (deletion(start=LAST), Verdict.CONTIGUOUS),
        # It did not reach as far as what was loaded here: somebody else took the rest.
        (deletion(until=LAST - 1), Verdict.PURGED),
        (deletion(start=LAST + 1, until=LAST + 9), Verdict.PURGED),
        # Another machine had loaded more, and polls prove what lies between, or do not.
        (deletion(until=LAST + 9), Verdict.CONTIGUOUS),
        (deletion(until=LAST + 9, proven=LAST + 1), Verdict.PURGED),
    ],
)
@pytest.mark.parametrize("shown", [[], [80, 81]])
def test_what_explains_a_purge(one: Deletion, verdict: Verdict, shown: list[int]) -> None:
    result = told(seen(range(LAST + 1)), ids(shown), one)
    assert result.verdict is verdict
    assert (result.gap is None) == (verdict is Verdict.CONTIGUOUS)
    assert result.fresh == tuple(ids(shown))
    assert result.state.was_empty == (not shown)


def test_a_full_window_is_an_overrun_all_the_same() -> None:
    assert told(seen(range(50)), ids(range(80, 180)), deletion()).verdict is Verdict.OVERRUN


def shaped(size: int) -> StreamState:
    return replace(seen(range(50)), shape=WindowShape("x", size, 1, 1.0))


@pytest.mark.parametrize(
    ("size", "shown", "start", "verdict"),
    [
        (50, range(20), 20, Verdict.CONTIGUOUS),
        # Something stands where all was deleted, or the window grew: others changed it.
        (50, range(21), 20, Verdict.REGRESSED),
        (20, range(20), 20, Verdict.REGRESSED),
    ],
)
def test_the_older_part_that_is_left(size: int, shown: range, start: int, verdict: Verdict) -> None:
    result = told(shaped(size), ids(shown), deletion(start=start))
    assert result.verdict is verdict
    if verdict is Verdict.CONTIGUOUS:
        assert (result.gap, result.state.last_loaded_id) == (None, place(LAST))


def test_what_is_left_is_accepted_each_time_it_is_read() -> None:
    """Until something new comes, its newest event stays older than the last loaded one."""
    state = replace(told(shaped(50), ids(range(20)), deletion(start=20)).state)
    state = replace(state, shape=WindowShape("y", 20, 19_000, 1.0))
    again = told(state, ids(range(20)), deletion(start=20))
    assert (again.verdict, again.fresh, again.gap) == (Verdict.CONTIGUOUS, (), None)
    # One more with an older id, and one less: others changed it.
    other = told(state, [*ids(range(1, 20)), EventId(NOW + 1500, 0)], deletion(start=20))
    assert other.verdict is Verdict.REGRESSED


def test_a_window_that_is_wanted_whole_is_yielded_whole() -> None:
    polled = window(ids(range(20)), at=NOW + HOUR)
    mine = [deletion(start=20)]
    found = judge_with(lambda: mine, shaped(50), polled, full_window=True)
    assert (found.verdict, found.fresh) == (Verdict.CONTIGUOUS, tuple(ids(range(20))))
    found = judge_with(lambda: mine, shaped(50), polled, full_window=False)
    assert (found.verdict, found.fresh) == (Verdict.CONTIGUOUS, ())


@pytest.mark.parametrize(("gone", "verdict"), [(None, "contiguous"), (GONE, "purged")])
@pytest.mark.parametrize("shown", [[], [80, 81]])
def test_an_emitter_that_was_gone_proves_nothing_of_that_time(
    gone: Absence | None, verdict: str, shown: list[int]
) -> None:
    """Seen empty, or emptied by us: what came before it was deleted went with it."""
    emptied = replace(seen(range(LAST + 1)), absence=gone)
    empty = replace(seen([]), absence=gone)
    for state, mine in ((emptied, [deletion()]), (empty, [])):
        polled = window(ids(shown), at=NOW + HOUR)
        found = judge_with(partial(list, mine), state, polled, full_window=False)
        assert (found.verdict.value, found.gap is None) == (verdict, gone is None)
        assert found.fresh == tuple(ids(shown))


@pytest.mark.parametrize(("shown", "verdict"), [(range(80, 90), "contiguous"), ([81], "purged")])
def test_what_only_a_failed_walk_showed_has_to_be_there(shown: Iterable[int], verdict: str) -> None:
    """Events that were loaded without proof and deleted: those before them may have been lost."""
    emptied, empty = seen(range(LAST + 1)), seen([])
    for state, mine in ((emptied, [deletion()]), (empty, [])):
        failed = judge(state, window(ids(range(80, 90)), at=NOW + HOUR, complete=False)).state
        polled = window(ids(shown), at=NOW + HOUR)
        found = judge_with(partial(list, mine), failed, polled, full_window=False)
        assert found.verdict.value == verdict


def test_each_end_of_an_emitter_is_told_of() -> None:
    """A window that was emptied before, and told of, is told of again."""
    told_of = judge(seen(range(5)), window([], at=NOW + HOUR)).state
    assert judge(told_of, window([], at=NOW + 2 * HOUR)).gap is None
    gone = replace(told_of, absence=GONE)
    assert judge(gone, window([], at=NOW + 2 * HOUR)).gap is not None
