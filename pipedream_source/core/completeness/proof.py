"""What is proven of a stream, period by period, from the rows that its polls left.

Stretches (`stream_coverage`) say where polls overlapped one another, gaps (`event_gaps`) what lies
between two of them. This module puts both on one line of time, from the stored rows alone, so that
a stranger can do it again. Whatever no row proves is not called complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from operator import attrgetter
from typing import Any

from pipedream_source.core.completeness.gap_times import started
from pipedream_source.core.polls.window import Verdict
from pipedream_source.core.streams.absence import ENDED
from pipedream_source.core.streams.event_id import ORIGIN, place_of
from pipedream_source.core.streams.stream_state import Begin

Row = Mapping[str, Any]

# The time of the id that stands below all others: what reaches back to it has no beginning.
_BEGINNING = ORIGIN.moment


class Standing(StrEnum):
    """What is known of a period of a stream."""

    COMPLETE = "complete"  # everything that the API showed is in the tables
    LOST = "lost"  # events were, or may have been, thrown away unseen; how many is estimated
    UNKNOWN = "unknown"  # something is missing or contradicts itself; how much cannot be told
    UNOBSERVED = "unobserved"  # no poll tells of it
    EXCLUDED = "excluded"  # polls saw it, and its events were left out as asked (--since)
    ENDED = "ended"  # the API does not find the emitter any more
    DOUBLED = "doubled"  # nothing is missing, but rows stand in the tables more than once


#: What is as it should be: nothing that was asked for is missing.
IN_ORDER = frozenset({Standing.COMPLETE, Standing.EXCLUDED, Standing.ENDED})


@dataclass(frozen=True, slots=True)
class Segment:
    """A period of a stream with one standing.

    Attributes:
        start, end: UTC; no start means since the stream exists.
        why: what proves it, or what stands against it, in words.
        from_id, to_id: the first event that it reaches from, and the last; None where open.
        lost_min, lost_likely, lost_max: events lost, where it is estimated.
        polls: how many prove it; the first is `opened_at`, the last is its end.
        longest_pause_s: seconds between two of them.
    """

    standing: Standing
    start: datetime | None
    end: datetime
    why: str
    from_id: str | None = None
    to_id: str | None = None
    lost_min: int = 0
    lost_likely: int | None = None
    lost_max: int | None = None
    polls: int = 0
    opened_at: datetime | None = None
    longest_pause_s: float | None = None


_FIELDS = tuple(Segment.__dataclass_fields__)
_VALUES = attrgetter(*_FIELDS)


def as_row(segment: Segment) -> dict[str, Any]:
    """Return a segment as a dict; `dataclasses.asdict` copies each value, ten times slower."""
    return dict(zip(_FIELDS, _VALUES(segment), strict=True))


@dataclass(frozen=True, slots=True)
class Evidence:
    """The stored rows of one stream.

    Attributes:
        stretches: its rows of `stream_coverage`.
        gaps: its rows of `event_gaps`.
        status: its row of `stream_status`.
        is_current: the last load polled it with success.
        latest: the newest poll of any stream: until then it is known not to have been polled.
        gone: how many events of a stretch the tables hold no more, by (opened_at, from_id).
    """

    stretches: Sequence[Row] = ()
    gaps: Sequence[Row] = ()
    status: Row | None = None
    is_current: bool = True
    latest: datetime | None = None
    gone: Mapping[tuple[datetime, str], int] = field(default_factory=dict)


def prove(
    evidence: Evidence, *, since: datetime | None = None, until: datetime | None = None
) -> list[Segment]:
    """Return what is proven of a stream, in order of time.

    Args:
        evidence: what is stored of it.
        since: only from this time on; by default from where the first stretch begins, as nobody
            promised what came before it.
        until: up to this time, behind the last poll too, where nothing is observed; by default up
            to the last poll.
    """
    stretches = sorted(evidence.stretches, key=_order)
    last = max((row["covered_until"] for row in stretches), default=None)
    segments = [
        *(_until(segment, last) for segment in _observed(evidence, stretches)),
        *_after(evidence, last, until),
    ]
    if since is None and stretches and segments[0].standing is Standing.UNOBSERVED:
        del segments[0]
    return [part for s in segments if (part := _within(s, since, until)) is not None]


def doubled(segments: Sequence[Segment], rows: int) -> list[Segment]:
    """Return a stream's segments, none of them complete if rows stand more than once.

    Args:
        segments: what is proven of it.
        rows: how many are too many.
    """
    if not rows:
        return list(segments)
    why = f"{rows:,} of the stream's rows are copies of others, as of two loads at the same time"
    return [
        replace(s, standing=Standing.DOUBLED, why=why) if s.standing is Standing.COMPLETE else s
        for s in segments
    ]


def _order(stretch: Row) -> Any:
    return stretch["opened_at"], stretch["covered_until"], place_of(stretch["from_id"])


def _observed(evidence: Evidence, stretches: Sequence[Row]) -> Iterator[Segment]:
    found = _by_poll(evidence.gaps)
    gaps = [_gap_at(found, stretch) for stretch in stretches]
    before: Row | None = None
    reached: datetime | None = None
    for stretch, gap, next_gap in zip_longest(stretches, gaps, gaps[1:]):
        yield from _between(before, reached, stretch, gap)
        reached = _reach(stretch, next_gap)
        if reached > _BEGINNING:
            yield _stretch(evidence, stretch, reached)
        before = stretch


def _by_poll(gaps: Iterable[Row]) -> dict[datetime, list[Row]]:
    found: defaultdict[datetime, list[Row]] = defaultdict(list)
    for gap in gaps:
        found[gap["detected_at"]].append(gap)
    return found


def _gap_at(gaps: Mapping[datetime, Sequence[Row]], stretch: Row) -> Row | None:
    """Return the gap that the poll found which opened a stretch.

    The API's `Date` counts whole seconds, so a first poll and one that finds a gap may have the
    same time.
    """
    if stretch["begins"] in (Begin.ORIGIN, Begin.WINDOW):
        return None
    found = gaps.get(stretch["opened_at"], ())
    fitting = [gap for gap in found if gap["before_id"] == stretch["from_id"]]
    return next(iter(fitting or found), None)


def _reach(stretch: Row, gap: Row | None) -> datetime:
    """Return how far a stretch is complete, given the gap that ended it.

    What a gap may reach back into is not complete, whichever poll came in between.
    """
    until: datetime = stretch["covered_until"]
    if gap is not None:
        start = started(gap, until)
        if start is None:
            start = min(gap["gap_start"], place_of(gap["after_id"]).moment)
        until = min(until, start)
    # The API's `Date` counts whole seconds: events may be younger than the poll that saw them.
    return max(until, stretch["covered_from"] or until)


def _stretch(evidence: Evidence, stretch: Row, until: datetime) -> Segment:
    start = stretch["covered_from"]
    segment = Segment(
        Standing.COMPLETE,
        start,
        until,
        "each window overlapped the one before",
        from_id=stretch["from_id"] if start else None,
        to_id=stretch["until_id"],
        polls=stretch["polls"],
        opened_at=stretch["opened_at"],
        longest_pause_s=stretch["longest_pause_s"],
    )
    gone = evidence.gone.get((stretch["opened_at"], stretch["from_id"]), 0)
    if gone <= 0:
        return segment
    why = f"{gone} of its {stretch['events']} events are not in the tables any more"
    return replace(segment, standing=Standing.UNKNOWN, why=why)


def _between(
    before: Row | None, reached: datetime | None, stretch: Row, gap: Row | None
) -> Iterator[Segment]:
    """Yield what lies between a stretch and the one before, which is complete until `reached`."""
    start, end = before["covered_until"] if before else None, stretch["covered_from"]
    if end is None:
        return
    is_cut = stretch["begins"] == Begin.SINCE
    if gap is not None:
        begin = reached or gap["gap_start"]
        if before is None:
            yield _unobserved(None, stretch, None, begin)
        start = max(begin, gap["gap_end"]) if is_cut else end
        yield _gap(begin, start, gap)
    elif before is not None and not is_cut and _touch(before, stretch):
        return
    if start is None or start < end:
        yield _unobserved(before, stretch, start, end)


def _unobserved(before: Row | None, stretch: Row, start: datetime | None, end: datetime) -> Segment:
    last = before["until_id"] if before else None
    why = _why_unobserved(stretch, before)
    # Polls saw what came since the stretch before; of what came before the first nobody knows.
    is_excluded = before is not None and stretch["begins"] == Begin.SINCE
    standing = Standing.EXCLUDED if is_excluded else Standing.UNOBSERVED
    return Segment(standing, start, end, why, from_id=last, to_id=stretch["from_id"])


def _touch(before: Row, stretch: Row) -> bool:
    """Tell whether a stretch begins no later than the one before ends."""
    last = before["until_id"]
    return last is not None and place_of(stretch["from_id"]) <= place_of(last)


def _why_unobserved(stretch: Row, before: Row | None) -> str:
    if stretch["begins"] == Begin.SINCE:
        return "older events were left out (--since)"
    if before is not None:
        return "the cursor was lost between two polls whose windows do not overlap"
    return "the first window was full: what came before it was not shown"


_WHY = {
    Verdict.OVERRUN: "a full window did not overlap the one before",
    Verdict.PURGED: "events were deleted, perhaps some that no poll had seen",
    Verdict.REGRESSED: "all events became older: the stream was made anew or restored",
    Verdict.UNKNOWN: "the API contradicted itself",
}


def _gap(start: datetime, end: datetime, gap: Row) -> Segment:
    verdict = gap["verdict"]
    return Segment(
        Standing.LOST if verdict == Verdict.OVERRUN else Standing.UNKNOWN,
        min(start, end) if start > _BEGINNING else None,
        end,
        _WHY.get(verdict, _WHY[Verdict.UNKNOWN]),
        from_id=gap["after_id"],
        to_id=gap["before_id"] or None,
        lost_min=gap["lost_min"],
        lost_likely=gap["lost_likely"],
        lost_max=gap["lost_max"],
    )


def _after(evidence: Evidence, last: datetime | None, until: datetime | None) -> Iterator[Segment]:
    """Yield what follows the last poll that proves anything.

    Args:
        evidence: what is stored of the stream.
        last: that poll.
        until: up to which time is asked.
    """
    status, start = evidence.status or {}, last
    if status.get("verdict") == ENDED:
        doubted = max((gap["detected_at"] for gap in evidence.gaps), default=None)
        if doubted is not None and (last is None or last < doubted):
            yield Segment(Standing.UNKNOWN, last, doubted, _WHY[Verdict.UNKNOWN])
            start = doubted
        end = evidence.latest
        if end is not None and (start is None or start < end):
            why = status.get("last_error") or "the API does not find it any more"
            yield Segment(Standing.ENDED, start, end, why)
            start = end
    elif not evidence.is_current or last is None:
        # Polls of other streams, or of this one that prove nothing.
        end = evidence.latest or status.get("last_polled_at") or until or last
        if end is not None and (last is None or last < end):
            yield _unpolled(status, last, end)
            start = end
    if until is not None and start is not None and start < until:
        yield Segment(Standing.UNOBSERVED, start, until, "no poll came after it yet")


def _unpolled(status: Row, start: datetime | None, end: datetime) -> Segment:
    if status.get("verdict") == Verdict.UNKNOWN and not status.get("failures"):
        standing, why = Standing.UNKNOWN, _WHY[Verdict.UNKNOWN]
    else:
        standing, why = Standing.UNOBSERVED, "it was not polled by the last load"
    return Segment(standing, start, end, status.get("last_error") or why)


def _until(segment: Segment, last: datetime | None) -> Segment:
    """Return a segment up to the last poll: ids may run ahead of it, what it proves does not."""
    if last is None or segment.end <= last:
        return segment
    start = min(segment.start, last) if segment.start else None
    return replace(segment, start=start, end=last)


def _within(segment: Segment, since: datetime | None, until: datetime | None) -> Segment | None:
    """Return the part of a segment within a period; None when there is none."""
    start, end = segment.start, segment.end
    if (since is not None and end <= since) or (until is not None and start and start > until):
        return None
    if since is not None:
        start = max(start, since) if start else since
    if until is not None:
        end = min(end, until)
    return (
        segment
        if (start, end) == (segment.start, segment.end)
        else replace(segment, start=start, end=end)
    )
