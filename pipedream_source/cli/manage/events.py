"""`pipedream-source events`: what a source's window holds, and deleting what is loaded of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from pipedream_source.cli.command.groups import Group
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.confirm import confirm, require_terminal
from pipedream_source.cli.flags.times import time_of
from pipedream_source.cli.manage.call_flags import Deleting, Listing, await_gone
from pipedream_source.cli.manage.loaded_events import EVERYWHERE, EventRange, Held, LoadedEvents
from pipedream_source.cli.manage.sources import SourceId
from pipedream_source.cli.manage.tail import USAGE, tail
from pipedream_source.cli.output.console import err, plural
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.settings import DATASET

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient

events = Group("events", "Events of sources: the last 100 of each, as the API holds them.")
COLUMNS = ("id", "indexed_at_ms", "metadata.name", "event")

StartId = Annotated[
    str | None, typer.Option(metavar="ID", help="From this event on, itself included.")
]
EndId = Annotated[str | None, typer.Option(metavar="ID", help="Up to this event, itself included.")]
Loaded = Annotated[
    bool, typer.Option("--loaded", help="Only up to the newest event that is loaded.")
]
OlderThan = Annotated[
    str | None,
    typer.Option(metavar="PERIOD", help="With --loaded: older than 7d, or before an ISO time."),
]
EvenUnloaded = Annotated[
    bool,
    typer.Option(
        "--even-unloaded",
        help="Do not look into the database: events that were never loaded are lost, without "
        "--event-name those of every channel.",
        rich_help_panel=given.SAFETY,
    ),
]


@events.verb("list", "dc_abc123", "dc_abc123 --event-name '$errors' --max 1 --json")
def list_events(
    source_id: SourceId,
    event_name: given.EventName = "",
    no_expand: given.NoExpand = False,
    *,
    asked: Listing,
) -> None:
    """List the events that the API holds of a source, newest first."""
    with asked.client() as client:
        found = client.event_summaries(
            source_id, event_name=event_name, expand=not no_expand, **asked.pages
        )
        asked.write_list(found, COLUMNS, "events")


@events.verb(
    "delete",
    "dc_abc123 --loaded --older-than 7d",
    "dc_abc123 --start-id 1589486981597-0 --end-id 1589486981597-0 --yes",
    "dc_abc123 --dry-run",
)
def delete(
    source_id: SourceId,
    start_id: StartId = None,
    end_id: EndId = None,
    event_name: given.OneChannel = None,
    loaded: Loaded = False,
    older_than: OlderThan = None,
    even_unloaded: EvenUnloaded = False,
    database: given.Database = given.DEFAULT_DATABASE,
    dataset: given.Dataset = DATASET,
    *,
    asked: Deleting,
) -> None:
    """Delete events of a source: all, a range, or what is loaded and old.

    The default channel's, unless --event-name names another. Nothing is deleted while the API
    holds an event of the range that is not in the database, and the request never reaches further
    than the newest loaded event. Without --event-name the same is asked of the other channels
    that are known: what the API makes of an empty name is not documented. What is deleted so
    is recorded in table [bold]deletions[/], so that later loads do not miss it. Deleting is
    asynchronous: --wait returns when the events are gone.
    """
    if loaded and even_unloaded:
        raise typer.BadParameter("--loaded and --even-unloaded contradict each other")
    if older_than is not None and not loaded:
        raise typer.BadParameter("--older-than goes with --loaded")
    wanted = _stretch(asked, source_id, start_id, end_id, event_name)
    if moment := time_of(older_than, "--older-than"):
        wanted = wanted.before(round(moment.timestamp() * 1000))
    store = None if even_unloaded else LoadedEvents(database, dataset)
    if store and event_name is None:
        wanted = replace(wanted, channel="")
    _Deletion(asked, wanted, store, only_loaded=loaded, only_channel=event_name is not None).run()


def _stretch(
    asked: Deleting,
    source_id: str,
    start_id: str | None,
    end_id: str | None,
    event_name: str | None,
) -> EventRange:
    """Check the arguments as the request would be built, and return them."""
    span = {"start_id": start_id, "end_id": end_id, "event_name": event_name}
    asked.request("delete_events", {"source_id": source_id, **span})
    start, end = (EventId.parse(one) if one else None for one in (start_id, end_id))
    return EventRange(source_id, event_name, start, end)


class _Deletion:
    """One `events delete`: compare, ask, send, wait.

    Args:
        asked: the flags.
        wanted: what is to be deleted.
        store: where all of it must be; None for anywhere.
        only_loaded: leave out what is newer than the newest loaded event.
        only_channel: the API is trusted to keep to the channel that is named.
    """

    def __init__(
        self,
        asked: Deleting,
        wanted: EventRange,
        store: LoadedEvents | None,
        *,
        only_loaded: bool,
        only_channel: bool,
    ) -> None:
        self._asked = asked
        self._wanted = wanted
        self._store = store
        self._only_loaded = only_loaded
        self._only_channel = only_channel
        self._found: list[Held] = []

    def run(self) -> None:
        span = self._store.up_to_newest(self._wanted) if self._store else self._wanted
        if self._asked.dry_run:
            self._show(span)
            return
        if not self._asked.yes:
            require_terminal("events")
        with self._asked.client() as client:
            self._delete(client, span)

    def _show(self, span: EventRange | None) -> None:
        if span is None:
            err().print("Nothing of it is loaded: there is no request to send.")
        else:
            self._asked.show(self._asked.request("delete_events", span.arguments()))

    def _delete(self, client: PipedreamClient, span: EventRange | None) -> None:
        looked_at = span if self._only_loaded else self._wanted
        held = self._checked(client, looked_at) if looked_at else []
        if not held or span is None:
            self._tell_nothing()
            return
        count = plural(len(held), "event")
        told = {name: v for name, v in span.arguments().items() if v is not None}
        if not self._asked.yes:
            source = client.source(span.source_id)
            confirm({**source, **told, "events": len(held)}, count)
        with self._recorded(span):
            client.delete_events(**span.arguments())
        if self._asked.wait:
            await_gone(lambda: not _held(client, span, EVERYWHERE), "range of events")
        done = "Deleted" if self._asked.wait else "The API accepted, and deletes in a while,"
        self._asked.tell(f"{count} of", {**told, "events": len(held)}, done=done)

    def _recorded(self, span: EventRange) -> AbstractContextManager[None]:
        """Record what is deleted after it was compared, for the next load not to miss it."""
        if self._store is None:
            return nullcontext()
        from pipedream_source.running.maintenance.deletions import recorded

        return recorded(self._store.target, self._store.deletions(span, self._found))

    def _tell_nothing(self) -> None:
        err().print("Nothing to delete: the API holds no such event.")
        if not self._asked.form.is_for_people:
            self._asked.write({**self._wanted.arguments(), "events": 0, "accepted": False})

    def _checked(self, client: PipedreamClient, span: EventRange) -> list[Held]:
        """Return what the API holds of a range, after the comparison with the database."""
        if self._store is None:
            return _held(client, span, EVERYWHERE)
        channels = [span.channel or ""]
        if not self._only_channel:
            # Nobody has seen what the API makes of an empty name: it might take all channels.
            span = replace(span, channel=None)
            channels = self._store.channels(span.source_id)
        found = _held(client, span, channels)
        self._store.check(span.source_id, found, only_loaded=self._only_loaded)
        self._found = found
        return [event for event in found if event.channel == self._wanted.channel]


def _held(client: PipedreamClient, span: EventRange, channels: Sequence[str]) -> list[Held]:
    """Return what the API holds of a range, each event once.

    Args:
        client: asks the API.
        span: what is looked at.
        channels: which channels to ask for, if it is of all of them.
    """
    held: set[Held | None] = set()
    for channel in channels if span.channel is None else [span.channel]:
        # Whole rows: without them the metadata, which names the channel, may be cut too.
        found = client.event_summaries(
            span.source_id, event_name=channel, include=("id", "metadata")
        )
        held.update(span.held(event, channel) for event in found)
    return sorted(event for event in held if event)


events.verb("tail", *USAGE)(tail)
