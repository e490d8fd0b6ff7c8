"""`pipedream-source events tail`: the newest events of an emitter, and each new one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.times import period_s
from pipedream_source.cli.manage.call_flags import Writing
from pipedream_source.cli.output.console import err, moment, out, shown
from pipedream_source.cli.output.objects import Object, text_of
from pipedream_source.cli.read.database import Reader, Row, open_database
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.text.sent_json import SentJson
from pipedream_source.exceptions import DestinationUnavailable
from pipedream_source.running.exit_codes import INTERRUPTED
from pipedream_source.settings import DATASET, LATE_STRETCH_MS, WINDOW_SIZE

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient

USAGE = (
    "--emitter dc_abc123",
    "--emitter dc_abc123 --follow -n 0 --jsonl",
    "--emitter p_abc123 --live --follow --interval 10s",
)
COLUMNS = ("emitted_at", "channel", "id", "event")
_LATE = timedelta(milliseconds=LATE_STRETCH_MS)
_EVENTS = (
    "SELECT emitter_id, channel, id, emitted_at, event_seq, _dlt_load_id, "
    "CAST(event AS VARCHAR) AS event FROM {table} "
    "WHERE emitter_id = $1 AND ($2 IS NULL OR channel = $2)"
)


class Feed(Protocol):
    """Where events come from."""

    def newest(self, count: int) -> Sequence[Object]:
        """Return the newest events, oldest first; what is there now is not new any more."""

    def new(self) -> Sequence[Object]:
        """Return the events that came since the last look, oldest first."""


def tail(
    emitter: Annotated[str, typer.Option(metavar="ID", help="The source or workflow.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each new one until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", min=0, help="How many to begin with.")
    ] = 10,
    interval: Annotated[
        str, typer.Option(metavar="PERIOD", help="The time between two looks, such as 5s.")
    ] = "5s",
    live: Annotated[
        bool,
        typer.Option("--live", help="Ask the API instead of the database, for one channel."),
    ] = False,
    event_name: given.OneChannel = None,
    database: given.Database = given.DEFAULT_DATABASE,
    dataset: given.Dataset = DATASET,
    *,
    asked: Writing,
) -> None:
    """Show the newest events of an emitter, the last one last, and with --follow each new one.

    From the database, which is open only while it is looked into, or with --live from the API.
    """
    from pipedream_source.api.protocol import check_id

    if follow and asked.as_json:
        raise typer.BadParameter("a JSON document has an end: --follow goes with --jsonl")
    check_id(emitter, "--emitter")
    pause = period_s(interval)
    try:
        if live:
            with asked.client() as client:
                feed: Feed = LiveFeed(client, emitter, event_name or "")
                _write(asked, _events(feed, lines, pause if follow else None))
        else:
            feed = StoredFeed(database, dataset, emitter, event_name)
            _write(asked, _events(feed, lines, pause if follow else None))
    except KeyboardInterrupt:
        # It is how one ends this.
        raise typer.Exit(INTERRUPTED) from None


def _events(feed: Feed, count: int, pause: float | None) -> Iterator[Object]:
    yield from feed.newest(count)
    while pause is not None:
        time.sleep(pause)
        yield from _unless_locked(feed.new)


def _unless_locked(look: Callable[[], Sequence[Object]]) -> Sequence[Object]:
    """Look, unless a load is writing: what it writes is there at the next look."""
    try:
        return look()
    except DestinationUnavailable:
        return []


def _write(asked: Writing, found: Iterator[Object]) -> None:
    if not asked.form.is_for_people or not sys.stdout.isatty():
        asked.write_list(found, COLUMNS, "events")
        return
    console, names = out(), asked.form.columns or COLUMNS[1:]
    for event in found:
        told = "  ".join(text for name in names if (text := shown(text_of(event, name), 2_000)))
        time_told = moment(event["emitted_at"], seconds=True)
        console.print(f"[dim]{time_told}[/]  {told}", soft_wrap=True)


class StoredFeed:
    """Events that loads brought.

    New is what a later load brought, or a load that was late: ids may be far ahead of their time,
    and another machine's package may come after newer ones.
    """

    def __init__(self, database: Path, dataset: str, emitter: str, channel: str | None) -> None:
        """Look at nothing yet."""
        self._database, self._dataset = database, dataset
        self._given = (emitter, channel)
        self._load_id = ""
        self._until: datetime | None = None
        self._seen: set[tuple[str, str]] = set()

    def newest(self, count: int) -> list[Object]:
        """Return the newest events, oldest first; what is there now is not new any more."""
        query = "SELECT * FROM ({events}) ORDER BY emitted_at DESC, event_seq DESC LIMIT $3"
        ends = "SELECT max(_dlt_load_id) AS load_id, max(emitted_at) AS until FROM ({events})"
        with open_database(self._database, self._dataset) as reader:
            rows = self._rows(reader, query, count)
            for end in self._rows(reader, ends):
                self._load_id, self._until = end["load_id"] or "", end["until"]
            self._unseen(self._recent(reader))
        return [_stored(row) for row in reversed(rows)]

    def new(self) -> list[Object]:
        """Return the events that came since the last look, oldest first."""
        with open_database(self._database, self._dataset) as reader:
            rows = self._recent(reader)
        return [_stored(row) for row in self._unseen(rows)]

    def _recent(self, reader: Reader) -> list[Row]:
        query = (
            "SELECT * FROM ({events}) WHERE _dlt_load_id >= $3 OR emitted_at >= $4 "
            "ORDER BY emitted_at, event_seq"
        )
        since = self._until - _LATE if self._until else datetime.max.replace(tzinfo=UTC)
        return self._rows(reader, query, self._load_id, since)

    def _unseen(self, rows: list[Row]) -> list[Row]:
        """Return the rows of a look that no look before had, and remember them."""
        fresh = [row for row in rows if (row["channel"], row["id"]) not in self._seen]
        self._seen = {(row["channel"], row["id"]) for row in rows}
        for row in fresh:
            self._load_id = max(self._load_id, row["_dlt_load_id"])
            self._until = max(filter(None, (self._until, row["emitted_at"])), default=None)
        return fresh

    def _rows(self, reader: Reader, query: str, *values: Any) -> list[Row]:
        from pipedream_source.resources.schema.tables import EVENT_TABLES

        names = [table.name for table in EVENT_TABLES if table.name in reader.tables]
        if not names:
            return []
        events = " UNION ALL ".join(_EVENTS.format(table=name) for name in names)
        return reader.rows(query.format(events=events), *self._given, *values)


def _stored(row: Row) -> Object:
    kept = {key: row[key] for key in ("emitter_id", "channel", "id", "emitted_at")}
    return kept | {"event": None if row["event"] is None else SentJson(row["event"])}


class LiveFeed:
    """Events that the API shows of one channel."""

    def __init__(self, client: PipedreamClient, emitter: str, channel: str) -> None:
        """Ask nothing yet."""
        self._client, self._emitter, self._channel = client, emitter, channel
        self._seen: set[str] = set()

    def newest(self, count: int) -> list[Object]:
        """Return the newest events, oldest first; what is there now is not new any more."""
        window = self._window()
        self._seen = {event["id"] for event in window}
        return window[max(len(window) - count, 0) :]

    def new(self) -> list[Object]:
        """Return the events that came since the last look, oldest first."""
        window = self._window()
        ids = {event["id"] for event in window}
        if self._seen and len(ids) >= WINDOW_SIZE and not ids & self._seen:
            err().print(
                "[yellow]warning[/]  a whole window is new since the last look: events may have "
                "been missed; take a shorter --interval"
            )
        fresh = [event for event in window if event["id"] not in self._seen]
        self._seen = ids or self._seen
        return fresh

    def _window(self) -> list[Object]:
        from pipedream_source.api.protocol import is_workflow

        is_emits = is_workflow(self._emitter)
        ask = self._client.workflow_emits if is_emits else self._client.event_summaries
        found = ask(self._emitter, event_name=self._channel, maximum=WINDOW_SIZE)
        events = [self._live(event) for event in found]
        return sorted(events, key=lambda event: EventId.parse(event["id"]) or EventId(0, 0))

    def _live(self, event: Object) -> dict[str, Any]:
        place = EventId.parse(str(event.get("id")))
        return {
            "emitter_id": self._emitter,
            "channel": self._channel,
            "id": str(event.get("id")),
            "emitted_at": place.moment if place else None,
            "event": event.get("event"),
        }
