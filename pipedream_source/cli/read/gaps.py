"""`pipedream-source gaps`: what is missing of each stream."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.times import time_of
from pipedream_source.cli.output.console import (
    column,
    grid,
    lost_total,
    moment,
    out,
    plural,
    print_json,
    shown,
)
from pipedream_source.cli.output.layout import print_rows
from pipedream_source.cli.read.database import Reader, Row, open_reader
from pipedream_source.cli.read.stream_cells import (
    lost_bounds,
    named,
    stream_cells,
    stream_columns,
)
from pipedream_source.core.completeness.gap_times import dated
from pipedream_source.core.completeness.loss_sum import LossSum

EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source gaps\n\n"
    "  pipedream-source gaps --since 7d --emitter dc_abc123 --json"
)


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
            named(gap, names)
            for gap in dated(reader.table("event_gaps"), reader.table("stream_coverage"))
            if (not wanted or gap["emitter_id"] in wanted)
            and (start is None or gap["gap_end"] >= start)
        ]
    found.sort(key=lambda gap: (gap["gap_start"], gap["emitter_id"], gap["channel"]))
    if as_json:
        told = [_with_inputs(gap) for gap in found]
        lost = LossSum.of_gaps(found).as_dict()
        print_json({"gaps": told, "lost": lost, "unknown_emitters": unknown})
        return
    for one in unknown:
        out().print(f"[yellow]unknown[/]  {shown(one)}: no stream of it was ever loaded here")
    if found or not wanted or len(unknown) < len(set(wanted)):
        print_gaps(out(), found)


def _with_inputs(gap: Row) -> Row:
    """Return a gap whose inputs are an object, whatever type the destination keeps JSON in."""
    inputs = gap["inputs"]
    return gap | {"inputs": json.loads(inputs)} if isinstance(inputs, str) else gap


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
    told = lost_total(LossSum.of_gaps(found))
    console.print(f"\n{plural(len(found), 'gap')}. Lost: [yellow]{told}[/]. Times are UTC.")
    present = {gap["verdict"] for gap in found}
    console.print(grid((v, f"[dim]{why}[/]") for v, why in REASONS.items() if v in present))


def _gap_columns() -> dict[str, Column]:
    return {
        **stream_columns(),
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
        **stream_cells(gap),
        "verdict": shown(gap["verdict"]),
        "from": moment(gap["gap_start"]),
        "to": moment(gap["gap_end"]),
        "lost": lost_bounds(gap["lost_min"], gap["lost_max"]),
        "likely": "?" if likely is None else f"{likely:,}",
        "method": shown(gap["method"]),
    }
