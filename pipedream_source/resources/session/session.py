"""What the resources of one source share: the client, the inventory, and the tally of a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.pages.walk import Known
from pipedream_source.exceptions import (
    ApiError,
    ConfigurationError,
    ConnectionFailed,
    Deferred,
    PipedreamError,
)
from pipedream_source.resources.polls.polling import Poll, Stream
from pipedream_source.resources.schema.tables import (
    EVENT_GAPS,
    EVENT_TABLES,
    QUARANTINE,
    USERS,
    WORKFLOWS,
    WORKSPACES,
)
from pipedream_source.resources.session.discovery import (
    ERRORS,
    Inventory,
    Selection,
    all_streams,
    is_unlisted,
    owner_of,
    take_inventory,
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
        fatal: the error that ended polling for all, such as a refused key.
    """

    polled: int = 0
    failed: int = 0
    skipped: int = 0
    deferred: int = 0
    ended: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    fatal: PipedreamError | None = None

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


@dataclass(frozen=True, slots=True)
class Options:
    """How windows are read, beyond which.

    Attributes:
        since_ms: yield only events from this time on; filters rows, never verdicts.
        full_window: yield every row of each window, for the destination's key to sort out.
        max_workers: threads.
        quiet_poll_s: the longest wait that the cadence suggests for a quiet stream.
    """

    since_ms: int | None = None
    full_window: bool = False
    max_workers: int = 1
    quiet_poll_s: float = 60.0


class Session:
    """Shared by all resources of one `pipedream_source(...)`; one inventory for each extract.

    Args:
        client: asks the API.
        selection: what the user asked to poll.
        options: how to read windows.

    Attributes:
        components: what one resource of this extract read of them for another.
        owner_error: why it could not be had who the key belongs to; None if it could.
    """

    def __init__(self, client: PipedreamClient, selection: Selection, options: Options) -> None:
        """Nothing is sent before a resource is extracted."""
        self.client = client
        self.selection = selection
        self.options = options
        self.tally = Tally()
        self.events_new = 0
        self.is_destination_new = False
        self.reads_objects = selection.discover
        self.reread: set[Stream] = set()
        self.on_progress: Progress | None = None
        self.components: dict[str, Mapping[str, Any] | PipedreamError] = {}
        self._total = 0
        self._load_id: str | None = None
        self._me: dict[str, Any] | None = None
        self.owner_error: ApiError | None = None
        self._inventory = Inventory()
        self._is_inventory_new = False
        # How many workflows were known when a resource at work last had nothing left to poll.
        self._polled_for: dict[object, int] = {}
        self._handed_over: dict[Stream, tuple[Known, Poll]] = {}
        self._tells_of_hold = False

    @property
    def load_id(self) -> str:
        """The id of the load package that is being extracted."""
        # Imported when first needed, with dlt: a run that finds nothing new does without.
        from pipedream_source.resources.session.source_state import load_id

        return load_id()

    def inventory(self) -> Inventory:
        """Return this extract's inventory, read at the first call.

        Raises:
            PipedreamError: the key is wrong, the API cannot be reached, or it answers nothing that
                names a stream and no earlier load knows one.
        """
        from pipedream_source.resources.session.source_state import (
            dataset_salt,
            known_streams,
            known_workflows,
            remember_load,
        )

        if self._load_id != self.load_id:
            if self._load_id is not None:
                self._me = None  # what it says of usage is of the extract before
            salt = dataset_salt()
            if not self._is_inventory_new or self.client.redaction_salt != salt:
                self.client.redaction_salt = salt
                self.take_inventory(known_workflows())
            self._is_inventory_new = False
            self._load_id = self.load_id
            self._polled_for.clear()
            self.components.clear()
            for name, why in self._inventory.failed_lists.items():
                self.note_error(name, why)
            self._warn_of_lists()
            self.refuse_to_poll_nothing(map(Stream.from_key, known_streams()))
            remember_load()
        return self._inventory

    @property
    def found_workflows(self) -> list[str]:
        """The ids of all workflows that are known."""
        return sorted(self._inventory.found_by)

    def is_read_whole(self, stream: Stream) -> bool:
        """Tell whether every row of a stream's window is wanted, known or not.

        The window of a default channel may hold the rows of channels that nothing else reads.
        """
        if self.options.full_window or stream in self.reread:
            return True
        return not stream.channel and any(s.emitter_id == stream.emitter_id for s in self.reread)

    @property
    def lists(self) -> str:
        """The digest of the lists as they were read; empty if one failed."""
        return self._inventory.digest

    def hand_over(self, poll: Poll, known: Known) -> None:
        """Keep a poll that was made before the extract began."""
        self._handed_over[poll.stream] = known, poll

    def take_over(self, stream: Stream, known: Known) -> Poll | None:
        """Return, once, the poll that was kept of a stream, if it knew what is known now."""
        knew, poll = self._handed_over.pop(stream, (None, None))
        return poll if knew == known else None

    def show_progress(self, done: int, total: int) -> None:
        """Tell whoever shows it how many streams were polled."""
        if self.on_progress is not None:
            self.on_progress(done, total)

    def take_inventory(self, known_workflows: Mapping[str, Any]) -> Inventory:
        """Read the lists now; an extract that begins within this run reads them no more.

        Raises:
            PipedreamError: the key is wrong or the API cannot be reached.
        """
        me = self.check_key()
        error = self.owner_error
        self._inventory = take_inventory(self.client, self.selection, known_workflows, me, error)
        self._is_inventory_new = True
        return self._inventory

    def check_key(self) -> dict[str, Any]:
        """Ask who the key belongs to, once; the answer serves the inventory too.

        Returns:
            The answer; nothing if there was none that says something of the key. Then
            `owner_error` says why, and whatever else can be read is read.

        Raises:
            ConfigurationError: the key is wrong.
            ConnectionFailed: there is no connection to the API.
        """
        if self._me is None:
            self.owner_error = None
            try:
                self._me = owner_of(self.client)
            except ApiError as error:
                if isinstance(error, ConnectionFailed) and error.unsent:
                    raise
                self._me, self.owner_error = {}, error
        return self._me

    def refuse_to_poll_nothing(self, known: Iterable[Stream] = ()) -> None:
        """Raise what was answered instead of the key's owner if no stream is known either.

        Args:
            known: streams of earlier loads.

        Raises:
            ApiError: a run without streams would look as if the account were empty.
        """
        if self.owner_error is None:
            return
        if not all_streams(self._inventory, self.selection, known=[*known]):
            raise self.owner_error

    def _warn_of_lists(self) -> None:
        """Say what it means that lists could not be read whole."""
        failed = self._inventory.lists_that_hide_streams
        if failed:
            names = ", ".join(failed[:5]) + (f" and {len(failed) - 5} more" if failed[5:] else "")
            self.warn(
                f"Not read whole: {names}. The streams that earlier loads know are polled all the "
                "same; new sources, channels and workflows may be missing until a load can read it."
            )

    def add_found(self, workflow_ids: Collection[str]) -> None:
        """Add workflows that errors named to this extract's inventory, to be polled by it too."""
        found_by = self._inventory.found_by
        for workflow_id in workflow_ids:
            # Without discovery only what the user named is polled.
            if self.selection.discover or workflow_id in found_by:
                found_by.setdefault(workflow_id, set()).add(ERRORS)

    def begin_polling(self, worker: object) -> None:
        """Note that a resource polls, and may find workflows for the others."""
        self._polled_for[worker] = -1

    def has_polled_all(self, worker: object) -> bool:
        """Note that a resource has nothing left to poll, and tell whether none of them has."""
        found = len(self._inventory.found_by)
        self._polled_for[worker] = found
        return all(count == found for count in self._polled_for.values())

    def end_polling(self, worker: object) -> None:
        """Note that a resource ended, for whatever reason."""
        self._polled_for.pop(worker, None)

    @property
    def is_polling(self) -> bool:
        """Whether some resource still polls."""
        return bool(self._polled_for)

    def expect(self, streams: list[Stream]) -> None:
        """Announce streams that are about to be polled."""
        self._total += len(streams)
        self._report()

    def is_unlisted(self, stream: Stream) -> bool:
        """Tell whether the lists were read whole and do not name a stream's source any more."""
        return is_unlisted(self._inventory, self.selection, stream.emitter_id)

    def note(self, poll: Poll, *, has_ended: bool = False) -> None:
        """Count a poll by its outcome."""
        if has_ended:
            self.tally.ended += 1
        elif poll.skipped:
            self.tally.skipped += 1
        elif poll.error is not None:
            self._note_failure(poll.stream, poll.error)
        else:
            self.tally.polled += 1
        self._report()

    def _note_failure(self, stream: Stream, error: PipedreamError) -> None:
        self.tally.failed += 1
        self.tally.deferred += isinstance(error, Deferred)
        if isinstance(error, ConfigurationError) and self.tally.fatal is None:
            self.tally.fatal = error
        self.note_error(str(stream), error)

    def note_error(self, name: str, why: str | PipedreamError) -> None:
        """Tell that a stream, a list or an object could not be read."""
        self.tally.errors[name] = str(why)
        if not (isinstance(why, Deferred) and why.unsent):
            _LOG.warning("%s failed: %s", name, why)
        elif not self._tells_of_hold:
            # Of a thousand that are put off for one reason, the log tells once.
            self._tells_of_hold = True
            _LOG.warning("%s and all that follow: %s", name, why)

    def warn(self, text: str) -> None:
        """Tell the user something that is no failure."""
        self.tally.warnings.append(text)
        _LOG.warning("%s", text)

    def hand_on(self, events: int, gaps: list[dict[str, Any]]) -> None:
        """Count what was handed to dlt, and tell of each gap."""
        self.events_new += events
        self.tally.gaps.extend(gaps)
        for gap in gaps:
            _LOG.warning("%s", describe_gap(gap))

    def _report(self) -> None:
        tally = self.tally
        self.show_progress(tally.polled + tally.failed + tally.skipped + tally.ended, self._total)


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
