"""`pipedream-source status`: what was loaded of each stream, and how complete it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.output.console import (
    column,
    duration,
    grid,
    moment,
    number,
    out,
    plural,
    print_json,
    shown,
)
from pipedream_source.cli.output.layout import print_rows
from pipedream_source.cli.read.database import Reader, Row, open_reader, said_pending
from pipedream_source.cli.read.stream_cells import (
    lost_bounds,
    named,
    stream_cells,
    stream_columns,
)
from pipedream_source.core.completeness.loss_sum import LossSum
from pipedream_source.core.streams.absence import ENDED
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.exceptions import DestinationUnavailable
from pipedream_source.running.duckdb.storage import advice_on
from pipedream_source.running.maintenance.auto_compact import FREE_BYTES, room_advice
from pipedream_source.running.packages.package_folders import pending_since

EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source status\n\n"
    "  pipedream-source status --database events.duckdb --json"
)
_MEANING = {
    "first": "cyan",
    "contiguous": "green",
    "overrun": "yellow",
    "purged": "yellow",
    "regressed": "yellow",
    "unknown": "red",
    ENDED: "dim",
}


@guarded
def status(
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Show each stream: how complete it is, how fast it fills, how much room is left.

    [bold]fill[/] is the share of the last window that was new. [bold]headroom[/] is the time a
    window spans over the time between polls: under 1, events are being lost.
    """
    target = place.target()
    waiting = pending_since(Path(target.folder))
    pending = {"pending_packages": len(waiting), "pending_since": min(waiting, default=None)}
    try:
        with open_reader(target) as reader:
            streams = list(_streams(reader))
            runs = reader.table("load_runs")
            free = int(reader.rows(FREE_BYTES)[0]["free"]) if target.is_duckdb else 0
    except DestinationUnavailable as error:
        told = f"{error} {said_pending(waiting)}" if waiting else str(error)
        raise DestinationUnavailable(told, pending) from None
    last_run = max((run["finished_at"] for run in runs), default=None)
    if as_json:
        print_json({"streams": streams, "last_run_at": last_run, **pending})
        return
    console = out()
    _print_status(console, streams)
    if last_run:
        console.print(f"[dim]last run[/]  {moment(last_run)} UTC")
    if waiting:
        console.print(f"[yellow]pending[/]  {said_pending(waiting)}")
    if target.is_duckdb:
        room = room_advice(free, target.database.stat().st_size)
        for advice in filter(None, (advice_on(target.database), room)):
            console.print(f"[yellow]file[/]  {advice}")


def _streams(reader: Reader) -> Iterator[Row]:
    """Yield the rows of `stream_status`, each with its name and its gaps."""
    names = reader.names()
    gaps: dict[tuple[str, str], list[Row]] = {}
    for gap in reader.table("event_gaps"):
        gaps.setdefault((gap["emitter_id"], gap["channel"]), []).append(gap)
    # A destination that cannot merge keeps older rows too; the newest counts.
    rows = sorted(reader.table("stream_status"), key=lambda r: r["_dlt_load_id"])
    newest = {(row["emitter_id"], row["channel"]): row for row in rows}
    for key, row in sorted(newest.items()):
        own = gaps.get(key, [])
        last = EventId.parse(row["last_id"] or "")
        last_at = datetime.fromtimestamp(last.ms / 1000, UTC) if last else None
        polled = row["last_polled_at"]
        yield named(row, names) | {
            "last_event_at": last_at,
            "quiet_seconds": (polled - last_at).total_seconds() if polled and last_at else None,
            "gaps": len(own),
            "lost": LossSum.of_gaps(own).as_dict(),
        }


def _print_status(console: Console, streams: list[Row]) -> None:
    print_rows(
        console,
        [_status_cells(s) for s in streams],
        _status_columns(),
        spare=("events/h", "lost", "name"),
        titles=("emitter", "channel", "verdict", "last event", "name"),
    )
    failing = [s for s in streams if s["last_error"] and s["verdict"] != ENDED]
    if failing:
        console.print()
        console.print(grid(_failures(failing)))
    gaps = sum(s["gaps"] for s in streams)
    verdicts = [s["verdict"] for s in streams]
    counts = [
        f"[{style}]{verdicts.count(verdict)} {verdict}[/]"
        for verdict, style in _MEANING.items()
        if verdict in verdicts
    ]
    told = f"[yellow]{plural(gaps, 'gap')}[/], see `pipedream-source gaps`" if gaps else "no gaps"
    console.print(f"\n{plural(len(streams), 'stream')}: {', '.join(counts)} · {told}")


def _failures(failing: list[Row]) -> Iterator[tuple[str, str]]:
    for s in failing:
        name = f"{s['emitter_id']} {s['channel']}".rstrip()
        why = str(s["last_error"]).removeprefix(f"{name}: ")
        times = f"failed {plural(s['failures'], 'time')}: " if s["failures"] else ""
        yield f"[red]{shown(name)}[/]", f"{times}{shown(why, 300)}"


def _status_columns() -> dict[str, Column]:
    return {
        **stream_columns(),
        "last event": column("last event", style="dim"),
        "quiet": column("quiet", right=True),
        "verdict": column("verdict"),
        "fill": column("fill", right=True),
        "headroom": column("headroom", right=True),
        "failures": column("failures", right=True),
        "gaps": column("gaps", right=True),
        "lost": column("lost", right=True),
        "events/h": column("events/h", right=True),
    }


def _status_cells(s: Row) -> dict[str, str]:
    verdict, headroom = s["verdict"] or "unknown", s["headroom"]
    tight = headroom is not None and headroom < 1
    return {
        **stream_cells(s),
        "last event": moment(s["last_event_at"]),
        "quiet": duration(s["quiet_seconds"]),
        "verdict": f"[{_MEANING.get(verdict, 'red')}]{shown(verdict)}[/]",
        "fill": "-" if s["fill"] is None else f"{s['fill']:.0%}",
        "headroom": f"[red]{headroom:.2f}[/]" if tight else number(headroom),
        "events/h": number(s["events_per_hour"]),
        "failures": f"[red]{s['failures']:,}[/]" if s["failures"] else "0",
        "gaps": f"[yellow]{s['gaps']:,}[/]" if s["gaps"] else "0",
        "lost": _lost(s["lost"]) if s["gaps"] else "",
    }


def _lost(lost: dict[str, Any]) -> str:
    return f"[yellow]{lost_bounds(lost['min'], lost['max'])}[/]"
