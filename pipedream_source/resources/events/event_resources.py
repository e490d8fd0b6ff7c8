"""The event resources: poll the windows of some streams, judge them, yield what is new.

The rows that prove or disprove completeness (gaps, status, quarantine) are yielded by the same
resource as the events: as resources of their own, `with_resources` would drop them while the
cursor moves on. A stream's state changes only after its rows were handed to dlt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import dlt

from pipedream_source.api.pages.walk import Known
from pipedream_source.api.protocol import is_workflow
from pipedream_source.core.completeness.deletion import Deletion
from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from pipedream_source.resources.arrow.batches import Batch
from pipedream_source.resources.arrow.items import destination_limits, item_of, to_arrow
from pipedream_source.resources.arrow.limits import fit
from pipedream_source.resources.events.deletions import Deletions, DeletionsUnread, read_deletions
from pipedream_source.resources.polls.channels import parts_of
from pipedream_source.resources.polls.outcome import Outcome, assess, assess_failure
from pipedream_source.resources.polls.polling import (
    Poll,
    Stream,
    in_turn,
    keeps_failing,
    known_by,
    poll_all,
    remembered_streams,
    rests,
)
from pipedream_source.resources.polls.side_rows import quarantine_row
from pipedream_source.resources.schema.tables import (
    EVENT_GAPS,
    QUARANTINE,
    SIDE_TABLES,
    STREAM_COVERAGE,
    STREAM_STATUS,
    WORKFLOW_EMITS,
    Table,
)
from pipedream_source.resources.session.discovery import ERRORS, Inventory
from pipedream_source.resources.session.session import Session
from pipedream_source.resources.session.source_state import known_workflows
from pipedream_source.settings import ERRORS_CHANNEL

#: Names the streams of a table, from the inventory and from those polled by earlier runs.
ListStreams = Callable[[Inventory, Collection[Stream]], list[Stream]]


def event_items(session: Session, table: Table, list_streams: ListStreams) -> Iterator[Any]:
    """Yield one event table's new rows with all that is known about their completeness.

    Args:
        session: shared by the resources of the source.
        table: where the events go.
        list_streams: names the streams that belong to this table.

    Yields:
        Arrow items of the event table and of `event_gaps`, `stream_status`, `stream_coverage` and
        `quarantine`, each under the hints of its table. Nothing but rows of status and coverage
        when there is no news. None, which dlt takes for "ask me later", while another resource
        may still find workflows.

    Raises:
        PipedreamError: the key is wrong or the API cannot be reached at all. A stream that
            fails raises nothing: it is told of in `stream_status`.
    """
    state = dlt.current.resource_state()
    states = state.setdefault("streams", {})
    inventory = session.inventory()
    collector = _Collector(session, table, states)
    session.pollers.begin(collector)
    try:
        # Each resource has to begin before the first can tell that all are done.
        yield None
        while True:
            if new := collector.still_to_poll(list_streams(inventory, collector.remembered)):
                # What keeps failing comes after other resources' streams: it may end all polling.
                yield from _polled(session, collector, collector.expected_to_work(new) or new)
                yield None
            elif session.pollers.have_polled_all(collector, len(inventory.found_by)):
                break
            else:
                yield None
    finally:
        session.pollers.end(collector)
    yield from collector.mark(STREAM_STATUS, collector.status)
    # How many they are, so that a table that an earlier version did not know is made too.
    if state.get("tables_exist") != len(SIDE_TABLES):
        yield from collector.missing_tables()
        state["tables_exist"] = len(SIDE_TABLES)


def _polled(session: Session, collector: _Collector, streams: list[Stream]) -> Iterator[Any]:
    """Poll some streams and yield what they bring, batch by batch."""
    session.tally.expect(streams)
    streams = collector.add_streams(streams)
    ready = [p for s in streams if (p := session.early_polls.take(s, collector.known[s]))]
    polled = {poll.stream for poll in ready}
    polls = poll_all(
        session.client,
        [stream for stream in streams if stream not in polled],
        known=collector.known,
        max_workers=session.options.max_workers,
    )
    for poll in chain(ready, polls):
        collector.take(poll)
        if collector.batch.is_full:
            yield from collector.hand_on()
    yield from collector.hand_on()


class _Collector:
    """Gathers outcomes into one batch, and moves the state once the batch was handed on."""

    def __init__(self, session: Session, table: Table, states: dict[str, Any]) -> None:
        self.session = session
        self.table = table
        self.batch = Batch(table)
        self.status: list[Mapping[str, Any]] = []
        self._states = states
        self._limits = destination_limits()
        self._hinted: set[str] = set()
        self._before: dict[Stream, StreamState] = {}
        self._outcomes: list[Outcome] = []
        self._resting: set[Stream] = set()
        self._now_ms = int(time.time() * 1000)
        self.known: dict[Stream, Known] = {}
        self._deletions: Deletions | None = None

    @property
    def remembered(self) -> list[Stream]:
        """The streams of earlier runs, without those that the user asked to forget."""
        return remembered_streams(self._states)

    def still_to_poll(self, listed: list[Stream]) -> list[Stream]:
        """Return those of some streams that were not polled yet and are due."""
        new = [s for s in listed if s not in self.known and s not in self._resting]
        resting = {s for s in new if rests(self._states.get(s.key), self._now_ms)}
        self._resting |= resting
        self.session.tally.add_ended(len(resting))
        return [stream for stream in new if stream not in resting]

    def expected_to_work(self, streams: list[Stream]) -> list[Stream]:
        """Return those that do not keep failing."""
        return [stream for stream in streams if not keeps_failing(self._state_before(stream))]

    def add_streams(self, streams: list[Stream]) -> list[Stream]:
        """Prepare for polls of these streams too; return them in the order of their turn."""
        self.known.update({stream: self._known(stream) for stream in streams})
        return in_turn({stream: self._before[stream] for stream in streams})

    def _state_before(self, stream: Stream) -> StreamState:
        if stream not in self._before:
            self._before[stream] = self.state_of(stream)
        return self._before[stream]

    def _known(self, stream: Stream) -> Known:
        # A window is not left unread on the word of a state that cannot be judged with.
        before = self._state_before(stream)
        if self.session.is_read_whole(stream):
            # Unchanged windows are wanted again too.
            return Known(before.short_page_ends, last_id=before.last_loaded_id)
        return known_by(before, int(time.time() * 1000))

    def take(self, poll: Poll) -> None:
        """Judge one poll, channel by channel, and add what is new to the batch."""
        if poll.skipped and poll.walk.first is None:
            self.session.tally.note(poll)
            return
        has_ended = False
        nbytes = poll.walk.nbytes // (len(poll.walk.rows) or 1)
        for part in parts_of(poll, self.known):
            if self.table is WORKFLOW_EMITS and part.stream.channel == ERRORS_CHANNEL:
                continue  # They have a table of their own.
            outcome = self._take_part(part, nbytes)
            has_ended |= outcome.has_ended
            if outcome.state.is_beside != (is_beside := part.stream != poll.stream):
                outcome.state = replace(outcome.state, is_beside=is_beside)
        self.session.tally.note(poll, has_ended=has_ended)

    def _take_part(self, poll: Poll, nbytes: int) -> Outcome:
        """Judge what a poll brought of one channel, each row of about so many bytes."""
        stream = poll.stream
        before = self._before.pop(stream) if stream in self._before else self.state_of(stream)
        outcome = self._assess(poll, before)
        rows, channel = outcome.rows, stream.channel
        if self._limits:
            originals = fit(rows, self._limits)
            outcome.quarantine += [quarantine_row(poll, bad) for bad in originals]
            channel = self._limits.text(channel)
        self.batch.add(stream.emitter_id, channel, rows, nbytes * len(rows))
        self._outcomes.append(outcome)
        if outcome.warning:
            self.session.tally.warn(outcome.warning)
        return outcome

    def _assess(self, poll: Poll, before: StreamState) -> Outcome:
        if poll.error is not None:
            is_unlisted = self.session.account.is_unlisted(poll.stream)
            return assess_failure(poll, before, poll.error, is_unlisted=is_unlisted)
        options = self.session.options
        try:
            return assess(
                poll,
                before,
                full_window=self.session.is_read_whole(poll.stream),
                since_ms=options.since_ms,
                quiet_poll_s=options.quiet_poll_s,
                deletions=lambda: self._deletions_of(poll.stream),
            )
        except DeletionsUnread as error:
            poll.error = error
            return assess_failure(poll, before, error)

    def _deletions_of(self, stream: Stream) -> Sequence[Deletion]:
        """Return what `events delete` took of a stream; the database is asked once at most."""
        if self._deletions is None:
            self._deletions = read_deletions()
        return self._deletions.get(stream, ())

    def state_of(self, stream: Stream) -> StreamState:
        try:
            return load_state(self._states.get(stream.key))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # Without a cursor the window is read whole, and the key sorts out what is known.
            self.session.tally.warn(
                f"{stream}: its stored state cannot be read ({error}); read afresh"
            )
            return StreamState()

    def hand_on(self) -> Iterator[Any]:
        """Yield the batch with its side rows; then, and only then, move the streams' states."""
        load_id = self.session.load_id
        gaps = [gap for o in self._outcomes for gap in o.gaps]
        bad = {row["row_hash"]: row for o in self._outcomes for row in o.quarantine}
        for item in self.batch.to_arrow(load_id):
            yield self._marked(self.table, item)
        yield from self.mark(EVENT_GAPS, gaps)
        yield from self.mark(QUARANTINE, list(bad.values()))
        yield from self.mark(STREAM_COVERAGE, [o.coverage for o in self._outcomes if o.coverage])
        known = known_workflows()
        for outcome in self._outcomes:
            self._states[outcome.stream.key] = dump_state(outcome.state)
            _remember_workflows(known, outcome)
            self.session.account.add_found(outcome.workflows)
            if not outcome.status["last_error"] or outcome.has_ended:
                self.session.end_reread(outcome.stream)
        self.status.extend(o.status for o in self._outcomes)
        self.session.tally.add_rows(self.table.name, len(self.batch.rows))
        self.session.tally.add_rows(EVENT_GAPS.name, len(gaps))
        self.session.tally.add_rows(QUARANTINE.name, len(bad))
        self.session.tally.hand_on(len(self.batch.rows), gaps)
        self.batch, self._outcomes = Batch(self.table), []

    def mark(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
        """Yield some rows of a side table; nothing when there are none."""
        if rows:
            yield self._marked(table, to_arrow(table, rows, self.session.load_id))

    def missing_tables(self) -> Iterator[Any]:
        """Yield empty items that create the tables of which this extract brought no row."""
        tables = (self.table, *SIDE_TABLES)
        missing = [table for table in tables if table.name not in self._hinted]
        yield from (self._marked(table, to_arrow(table, [], "")) for table in missing)

    def _marked(self, table: Table, data: Any) -> Any:
        """Name an item's table; its hints are checked by dlt at length, so they go along once."""
        if table.name in self._hinted:
            return dlt.mark.with_table_name(data, table.name)
        self._hinted.add(table.name)
        return item_of(table, data, new=self.session.is_destination_new)


def _remember_workflows(known: dict[str, Any], outcome: Outcome) -> None:
    """Keep what errors tell of workflows, and whether this one could be read."""
    for workflow_id, name in outcome.workflows.items():
        entry = known.setdefault(workflow_id, {})
        entry["by"] = sorted({ERRORS, *entry.get("by", ())})
        if name:
            entry["name"] = name
    if outcome.reachable is not None and is_workflow(outcome.stream.emitter_id):
        known.setdefault(outcome.stream.emitter_id, {})["ok"] = outcome.reachable
