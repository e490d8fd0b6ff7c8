"""`pipedream-source status` and `gaps`: what was loaded, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipedream_source.cli import options as given
from pipedream_source.cli.console import (
    column,
    compact,
    duration,
    grid,
    lost_range,
    moment,
    number,
    out,
    plain_table,
    plural,
    print_json,
    shown,
)
from pipedream_source.cli.guard import guarded
from pipedream_source.cli.reading import Reader, Row, open_reader, pending_packages
from pipedream_source.core.event_id import EventId
from pipedream_source.settings import DATASET

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
VERDICTS = {
    "overrun": "more than 100 events came between two polls; the oldest of them were lost",
    "purged": "events that were never seen were deleted, or the stream was emptied",
    "regressed": "all events are older than those loaded: the stream was made anew or restored",
    "unknown": "the API contradicted itself; the next poll that can be trusted decides",
}
_MEANING = {
    "first": "cyan",
    "contiguous": "green",
    "overrun": "yellow",
    "purged": "yellow",
    "regressed": "yellow",
    "unknown": "red",
}


@guarded
def status(
    destination: given.Destination = "duckdb",
    database: given.Database = given.DEFAULT_DATABASE,
    dataset: given.Dataset = DATASET,
    pipelines_dir: given.PipelinesDir = None,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
) -> None:
    """Show each stream: how complete it is, how fast it fills, how much room is left.

    [bold]fill[/] is the share of the last window that was new. [bold]headroom[/] is the time a
    window spans over the time between polls: under 1, events are being lost.
    """
    from pipedream_source.running.target import Target

    target = Target(destination, database, dataset, pipelines_dir)
    with open_reader(target) as reader:
        streams = list(_streams(reader))
        runs = reader.table("load_runs")
    pending = pending_packages(target)
    last_run = max((run["finished_at"] for run in runs), default=None)
    if as_json:
        print_json({"streams": streams, "last_run_at": last_run, "pending_packages": pending})
        return
    console = out()
    _print_status(console, streams)
    if last_run:
        console.print(f"[dim]last run[/]  {moment(last_run)} UTC")
    if pending:
        console.print(
            f"[yellow]pending[/]  {plural(pending, 'package')} polled and not loaded yet: the next "
            "`pipedream-source load` brings them in"
        )


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
        kept = {name: value for name, value in row.items() if not name.startswith("_dlt")}
        yield kept | {
            "name": names.get(row["emitter_id"]),
            "last_event_at": last_at,
            "quiet_seconds": (polled - last_at).total_seconds() if polled and last_at else None,
            "gaps": len(own),
            "lost": lost_in(own),
        }


def lost_in(gaps: list[Row]) -> dict[str, int | None]:
    """Add up gaps; None where one of them has no bound."""
    sums: dict[str, int | None] = {}
    for name in ("min", "likely", "max"):
        values = [gap[f"lost_{name}"] for gap in gaps]
        sums[name] = None if None in values else sum(values)
    return sums


def _print_status(console: Console, streams: list[Row]) -> None:
    console.print(status_table(streams, console.width))
    failing = [s for s in streams if s["last_error"]]
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


def status_table(streams: list[Row], width: int) -> Table:
    """Return the streams as a table; a narrow one leaves out what matters least."""
    wide = width >= 118
    table = plain_table(
        column("emitter"),
        column("name", most=24 if wide else 15),
        column("channel", most=20 if wide else 12),
        *([column("last event", style="dim")] if wide else []),
        column("quiet", right=True),
        column("verdict"),
        *([column("fill", right=True), column("headroom", right=True)] if width >= 90 else []),
        column("events/h", right=True),
        column("lost", right=True),
    )
    for s in streams:
        cells = _status_cells(s)
        shown_cells = [c for name, c in cells.items() if _is_wanted(name, width)]
        table.add_row(*shown_cells)
    return table


def _is_wanted(name: str, width: int) -> bool:
    return width >= {"last event": 118, "fill": 90, "headroom": 90}.get(name, 0)


def _status_cells(s: Row) -> dict[str, str]:
    verdict, headroom = s["verdict"] or "unknown", s["headroom"]
    tight = headroom is not None and headroom < 1
    return {
        "emitter": shown(s["emitter_id"]),
        "name": shown(s["name"] or ""),
        "channel": shown(s["channel"]),
        "last event": moment(s["last_event_at"]),
        "quiet": duration(s["quiet_seconds"]),
        "verdict": f"[{_MEANING.get(verdict, 'red')}]{shown(verdict)}[/]",
        "fill": "-" if s["fill"] is None else f"{s['fill']:.0%}",
        "headroom": f"[red]{headroom:.2f}[/]" if tight else number(headroom),
        "events/h": number(s["events_per_hour"]),
        "lost": _lost(s["lost"]) if s["gaps"] else "",
    }


def _lost(lost: dict[str, Any]) -> str:
    if lost["likely"] is None:
        return f"[yellow]{lost['min']:,}+[/]"
    return f"[yellow]~{lost['likely']:,}[/]"


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
    destination: given.Destination = "duckdb",
    database: given.Database = given.DEFAULT_DATABASE,
    dataset: given.Dataset = DATASET,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
) -> None:
    """Show what was lost: which stream, when, and how many events at least, likely and at most."""
    from pipedream_source.running.target import Target

    start = _since(since)
    with open_reader(Target(destination, database, dataset)) as reader:
        names = reader.names()
        found = [
            {k: v for k, v in gap.items() if not k.startswith("_dlt")}
            | {"name": names.get(gap["emitter_id"])}
            for gap in reader.table("event_gaps")
            if (not emitter or gap["emitter_id"] in emitter)
            and (start is None or gap["gap_end"] >= start)
        ]
    found.sort(key=lambda gap: (gap["gap_start"], gap["emitter_id"], gap["channel"]))
    if as_json:
        print_json({"gaps": found, "lost": lost_in(found)})
    else:
        print_gaps(out(), found)


def _since(since: str | None) -> datetime | None:
    if since is None:
        return None
    from pipedream_source.source import parse_since

    return datetime.fromtimestamp((parse_since(since) or 0) / 1000, UTC)


def print_gaps(console: Console, found: list[Row]) -> None:
    """Write gaps as a table with a legend, or say that there are none."""
    if not found:
        console.print("[green]No gaps[/]: nothing is known to be missing.")
        return
    console.print(gaps_table(found, console.width))
    lost = lost_in(found)
    told = lost_range(lost["min"], lost["likely"], lost["max"])
    console.print(f"\n{plural(len(found), 'gap')}, [yellow]{told} events lost[/]. Times are UTC.")
    present = {gap["verdict"] for gap in found}
    console.print(grid((v, f"[dim]{why}[/]") for v, why in VERDICTS.items() if v in present))


def gaps_table(found: list[Row], width: int) -> Table:
    """Return gaps as a table."""
    wide = width >= 118
    table = plain_table(
        *([column("emitter")] if wide else []),
        column("name", most=24 if wide else 16),
        column("channel", most=20 if wide else 8),
        column("verdict", style="yellow"),
        column("from"),
        column("to"),
        column("lost", right=True),
        column("likely", right=True),
        *([column("method", style="dim")] if wide else []),
    )
    for gap in found:
        cells = list(_gap_cells(gap, wide=wide))
        table.add_row(*(cells if wide else cells[1:-1]))
    return table


def _gap_cells(gap: Row, *, wide: bool) -> Iterator[str]:
    start, end, likely, most = (
        gap[name] for name in ("gap_start", "gap_end", "lost_likely", "lost_max")
    )
    yield shown(gap["emitter_id"])
    yield shown(gap["name"] or ("" if wide else gap["emitter_id"]))
    yield shown(gap["channel"])
    yield shown(gap["verdict"])
    yield moment(start) if wide else start.strftime("%m-%d %H:%M")
    yield moment(end) if wide else end.strftime("%m-%d %H:%M")
    yield lost_bounds(gap["lost_min"], most)
    yield "?" if likely is None else f"{likely:,}"
    yield shown(gap["method"])
