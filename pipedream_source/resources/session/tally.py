"""Counts, errors and warnings of one run, for its progress, summary and exit code."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from pipedream_source.exceptions import ConfigurationError, Deferred, PipedreamError
from pipedream_source.resources.polls.polling import Poll, Stream
from pipedream_source.resources.schema.tables import (
    EVENT_GAPS,
    EVENT_TABLES,
    QUARANTINE,
    USERS,
    WORKFLOWS,
    WORKSPACES,
)

_LOG = logging.getLogger("pipedream_source")

_COUNTED_ALWAYS = {table.name for table in (*EVENT_TABLES, EVENT_GAPS, QUARANTINE)}
_SNAPSHOTS = {table.name for table in (USERS, WORKSPACES, WORKFLOWS)}

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Tally:
    """Counts of one run, for its summary and its exit code.

    Attributes:
        polled, failed, skipped: streams by outcome.
        rows: new rows by table.
        gaps: rows of `event_gaps`, as dicts.
        errors: what went wrong, by stream or list.
        ended: streams that the API does not find any more, asked now or not.
        deferred: streams of those that failed which the rate limit put off.
        events_new: events that were handed to dlt.
        warnings: what the user is told that is no failure.
        fatal: the error that ended polling for all, such as a refused key.
    """

    polled: int = 0
    failed: int = 0
    skipped: int = 0
    deferred: int = 0
    ended: int = 0
    events_new: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    fatal: PipedreamError | None = None
    _total: int = field(default=0, init=False)
    _on_progress: Progress | None = field(default=None, init=False)
    _tells_of_hold: bool = field(default=False, init=False)

    @property
    def has_news(self) -> bool:
        """Whether anything came but counters, and the times of polls.

        Objects are counted only where they changed, even if none is left.
        """
        return any(
            count or table not in _COUNTED_ALWAYS
            for table, count in self.rows.items()
            if table not in _SNAPSHOTS
        )

    def add_rows(self, table: str, count: int) -> None:
        """Count new rows of a table."""
        self.rows[table] = self.rows.get(table, 0) + count

    def add_polled(self, count: int) -> None:
        """Count streams whose poll was judged elsewhere."""
        self.polled += count

    def add_ended(self, count: int) -> None:
        """Count streams that are not asked now, as the API does not find them any more."""
        self.ended += count

    def watch(self, on_progress: Progress) -> None:
        """Tell a callback from now on how many streams were polled, and of how many."""
        self._on_progress = on_progress

    def show_progress(self, done: int, total: int) -> None:
        """Tell the watcher, if there is one, how many streams were polled."""
        if self._on_progress is not None:
            self._on_progress(done, total)

    def expect(self, streams: Collection[Stream]) -> None:
        """Announce streams that are about to be polled."""
        self._total += len(streams)
        self._report()

    def note(self, poll: Poll, *, has_ended: bool = False) -> None:
        """Count a poll by its outcome."""
        if has_ended:
            self.ended += 1
        elif poll.skipped:
            self.skipped += 1
        elif poll.error is not None:
            self._note_failure(poll.stream, poll.error)
        else:
            self.polled += 1
        self._report()

    def _note_failure(self, stream: Stream, error: PipedreamError) -> None:
        self.failed += 1
        self.deferred += isinstance(error, Deferred)
        if isinstance(error, ConfigurationError) and self.fatal is None:
            self.fatal = error
        self.note_error(str(stream), error)

    def note_error(self, name: str, why: str | PipedreamError) -> None:
        """Tell that a stream, a list or an object could not be read."""
        self.errors[name] = str(why)
        if not (isinstance(why, Deferred) and why.unsent):
            _LOG.warning("%s failed: %s", name, why)
        elif not self._tells_of_hold:
            # Of a thousand that are put off for one reason, the log tells once.
            self._tells_of_hold = True
            _LOG.warning("%s and all that follow: %s", name, why)

    def warn(self, text: str) -> None:
        """Tell the user something that is no failure."""
        self.warnings.append(text)
        _LOG.warning("%s", text)

    def hand_on(self, events: int, gaps: list[dict[str, Any]]) -> None:
        """Count what was handed to dlt, and tell of each gap."""
        self.events_new += events
        self.gaps.extend(gaps)
        for gap in gaps:
            _LOG.warning("%s", describe_gap(gap))

    def _report(self) -> None:
        self.show_progress(self.polled + self.failed + self.skipped + self.ended, self._total)


def describe_gap(gap: dict[str, Any]) -> str:
    """Say in one line what a gap row means."""
    stream = f"{gap['emitter_id']} {gap['channel']}".rstrip()
    if gap["lost_max"] is None:
        lost = f"at least {gap['lost_min']} events lost, how many more is unknown"
    elif gap["lost_min"] == gap["lost_max"]:
        lost = f"{gap['lost_min']} events lost"
    else:
        lost = f"{gap['lost_min']} to {gap['lost_max']} events lost, likely {gap['lost_likely']}"
    start, end = (gap[name].isoformat(timespec="seconds") for name in ("gap_start", "gap_end"))
    return f"{stream}: {gap['verdict']} between {start} and {end}: {lost}"
