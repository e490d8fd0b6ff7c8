"""`pipedream-source status` and `gaps`: what was loaded, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column

from pipedream_source.cli import options as given
from pipedream_source.cli.console import (
    column,
    compact,
    duration,
    grid,
    lost_total,
    moment,
    number,
    out,
    plural,
    print_json,
    shown,
)
from pipedream_source.cli.guard import guarded
from pipedream_source.cli.layout import print_rows
from pipedream_source.cli.reading import (
    Reader,
    Row,
    open_reader,
    pending_since,
    said_pending,
)
from pipedream_source.cli.times import time_of
from pipedream_source.core.absence import ENDED
from pipedream_source.core.event_id import EventId
from pipedream_source.core.gap_times import dated
from pipedream_source.core.loss_sum import LossSum
from pipedream_source.exceptions import DestinationUnavailable
from pipedream_source.running.duckdb.storage import advice_on
from pipedream_source.running.maintenance.auto_compact import room_advice

STATUS_EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source status\n\n"
    "  pipedream-source status --database events.duckdb --json"
)
GAPS_EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source gaps\n\n"
    "  pipedream-source gaps --since 7d --emitter dc_abc123 --json"
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
    waiting = pending_since(target)
    pending = {"pending_packages": len(waiting), "pending_since": min(waiting, default=None)}
    try:
        with open_reader(target) as reader:
            streams = list(_streams(reader))
            runs = reader.table("load_runs")
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
        for advice in filter(None, (advice_on(target.database), room_advice(target.database))):
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
        yield _named(row, names) | {
            "last_event_at": last_at,
            "quiet_seconds": (polled - last_at).total_seconds() if polled and last_at else None,
            "gaps": len(own),
            "lost": lost_in(own).as_dict(),
        }


def _named(row: Row, names: Mapping[str, str]) -> Row:
    """Return a row with its emitter's name and without dlt's own columns."""
    kept = {name: value for name, value in row.items() if not name.startswith("_dlt")}
    return kept | {"name": names.get(row["emitter_id"])}


def _with_inputs(gap: Row) -> Row:
    """Return a gap whose inputs are an object, whatever type the destination keeps JSON in."""
    inputs = gap["inputs"]
    return gap | {"inputs": json.loads(inputs)} if isinstance(inputs, str) else gap


def lost_in(gaps: Iterable[Row]) -> LossSum:
    """Add up what gaps lost."""
    return LossSum.of((gap["lost_min"], gap["lost_likely"], gap["lost_max"]) for gap in gaps)


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


def _stream_columns() -> dict[str, Column]:
    return {
        "emitter": column("emitter"),
        "name": column("name", most=24),
        "channel": column("channel", most=20),
    }


def _stream_cells(row: Row) -> dict[str, str]:
    return {
        "emitter": shown(row["emitter_id"]),
        "name": shown(row["name"] or ""),
        "channel": shown(row["channel"]),
    }


def _status_columns() -> dict[str, Column]:
    return {
        **_stream_columns(),
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
        **_stream_cells(s),
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


def lost_bounds(least: int, most: int | None) -> str:
    """Write the bounds of a loss; an open one as `12+`."""
    return f"{compact(least)}+" if most is None else f"{compact(least)} to {compact(most)}"


@guarded
def gaps(
    emitter: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this emitter's; repeatable.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only gaps that end after: ISO 8601, or such as 7d."),
    ] = None,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Show what was lost: which stream, when, and how many events at least, likely and at most."""
    from pipedream_source.api.protocol import check_id

    start = time_of(since)
    wanted = [check_id(one, "--emitter") for one in emitter or ()]
    with open_reader(place.target()) as reader:
        unknown = _unknown(reader, wanted)
        names = reader.names()
        found = [
            _named(gap, names)
            for gap in dated(reader.table("event_gaps"), reader.table("stream_coverage"))
            if (not wanted or gap["emitter_id"] in wanted)
            and (start is None or gap["gap_end"] >= start)
        ]
    found.sort(key=lambda gap: (gap["gap_start"], gap["emitter_id"], gap["channel"]))
    if as_json:
        told = [_with_inputs(gap) for gap in found]
        print_json({"gaps": told, "lost": lost_in(found).as_dict(), "unknown_emitters": unknown})
        return
    for one in unknown:
        out().print(f"[yellow]unknown[/]  {shown(one)}: no stream of it was ever loaded here")
    if found or not wanted or len(unknown) < len(set(wanted)):
        print_gaps(out(), found)


def _unknown(reader: Reader, wanted: list[str]) -> list[str]:
    """Return the emitters that no poll ever told of, which is not to have no gaps."""
    if not wanted:
        return []
    known = {r["emitter_id"] for t in ("stream_status", "event_gaps") for r in reader.table(t)}
    return sorted(set(wanted) - known)


def print_gaps(console: Console, found: list[Row]) -> None:
    """Write gaps as a table with a legend, or say that there are none."""
    from pipedream_source.resources.schema.stream_views import REASONS

    if not found:
        console.print("[green]No gaps[/]: nothing is known to be missing.")
        return
    print_rows(
        console,
        [_gap_cells(gap) for gap in found],
        _gap_columns(),
        spare=("method", "name"),
        titles=("emitter", "channel", "verdict", "name"),
    )
    told = lost_total(lost_in(found))
    console.print(f"\n{plural(len(found), 'gap')}. Lost: [yellow]{told}[/]. Times are UTC.")
    present = {gap["verdict"] for gap in found}
    console.print(grid((v, f"[dim]{why}[/]") for v, why in REASONS.items() if v in present))


def _gap_columns() -> dict[str, Column]:
    return {
        **_stream_columns(),
        "verdict": column("verdict", style="yellow"),
        "from": column("from"),
        "to": column("to"),
        "lost": column("lost", right=True),
        "likely": column("likely", right=True),
        "method": column("method", style="dim"),
    }


def _gap_cells(gap: Row) -> dict[str, str]:
    likely = gap["lost_likely"]
    return {
        **_stream_cells(gap),
        "verdict": shown(gap["verdict"]),
        "from": moment(gap["gap_start"]),
        "to": moment(gap["gap_end"]),
        "lost": lost_bounds(gap["lost_min"], gap["lost_max"]),
        "likely": "?" if likely is None else f"{likely:,}",
        "method": shown(gap["method"]),
    }
