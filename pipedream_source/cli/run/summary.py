"""What one run came to, for people."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from rich.console import Console

from pipedream_source.cli.output.console import (
    duration,
    grid,
    lost_range,
    lost_total,
    moment,
    nbytes,
    out,
    plural,
    shown,
)
from pipedream_source.resources.schema.tables import EVENT_GAPS, EVENT_TABLES, QUARANTINE
from pipedream_source.resources.session.tally import Tally
from pipedream_source.running.destination.target import Target
from pipedream_source.running.report import LoadReport

_EVENTS = [table.name for table in EVENT_TABLES]
# Told in words of their own, not as counts of rows.
_APART = {*_EVENTS, EVENT_GAPS.name, QUARANTINE.name}
_MOST_SHOWN = 20


def print_summary(report: LoadReport, target: Target, *, is_first: bool) -> None:
    """Write the summary of a run to stdout; nothing for a run that never polled."""
    tally = report.tally
    if not (tally.polled + tally.failed + tally.skipped) and report.error is not None:
        return
    console = out()
    console.print(_headline(report))
    console.print(grid(_lines(report, target)))
    print_problems(console, tally)
    for note in report.notes:
        console.print(f"[yellow]note[/]  {shown(note, 500)}")
    if is_first and report.loaded and target.is_duckdb:
        console.print("\n[bold]Next[/]", grid(_next_steps(target)), sep="\n")


def _headline(report: LoadReport) -> str:
    events = sum(report.tally.rows.get(name, 0) for name in _EVENTS)
    if report.signal:
        name = signal.Signals(report.signal).name
        return f"[yellow]Stopped by {name}[/]; what was polled is kept, the next run goes on."
    if not report.loaded:
        return f"[yellow]Polled, not loaded[/]: {plural(events, 'new event')}"
    if not events:
        return "[bold green]Nothing new[/]: this poll brought no new event"
    return f"[bold green]Loaded[/] [bold]{plural(events, 'new event')}[/]"


def _lines(report: LoadReport, target: Target) -> Iterator[tuple[str, str]]:
    tally, rows = report.tally, report.tally.rows
    yield "streams", _streams(tally)
    yield "events", " · ".join(f"{name} {rows.get(name, 0):,}" for name in _EVENTS)
    others = {n: count for n, count in sorted(rows.items()) if n not in _APART}
    if others:
        yield "others", " · ".join(f"{name} {count:,}" for name, count in others.items())
    if bad := rows.get(QUARANTINE.name):
        yield (
            "kept aside",
            f"[yellow]{plural(bad, 'row')}[/] that could not be stored as sent: quarantine",
        )
    yield "gaps", _gaps(report)
    cost = (duration_of(report.seconds), plural(report.requests, "request"), nbytes(report.nbytes))
    retries = (plural(report.retries, "retry", "retries"),) if report.retries else ()
    yield "cost", " · ".join((*cost, *retries))
    yield "stored in", place_of(target)
    if report.compacted:
        yield "compacted", " → ".join(map(nbytes, report.compacted))


def duration_of(seconds: float) -> str:
    """Write the time a run took."""
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def place_of(target: Target) -> str:
    """Say where the rows are."""
    name = str(target.database) if target.is_duckdb else target.destination
    return f"{shown(name, 500)}, dataset {shown(target.dataset)}"


def _streams(tally: Tally) -> str:
    parts = [f"{tally.polled:,} polled"]
    if failed := tally.failed - tally.deferred:
        parts.append(f"[red]{failed:,} failed[/]")
    if tally.deferred:
        parts.append(f"[yellow]{tally.deferred:,} deferred: the API asked to wait[/]")
    if tally.ended:
        parts.append(f"[dim]{tally.ended:,} ended[/]")
    if tally.skipped:
        parts.append(f"[yellow]{tally.skipped:,} skipped[/]")
    return " · ".join(parts)


def _gaps(report: LoadReport) -> str:
    gaps = report.tally.gaps
    if not gaps:
        return "none found"
    return f"[yellow]{plural(len(gaps), 'gap')}[/], lost: [yellow]{lost_total(report.lost)}[/]"


def print_problems(console: Console, tally: Tally) -> None:
    """Name each gap, each failure and each warning; long lists are cut."""
    problems = [(f"[yellow]{g['verdict']}[/]", _gap(g)) for g in tally.gaps]
    problems += [
        ("[red]failed[/]", f"{shown(name)}: {shown(_without_name(name, why), 500)}")
        for name, why in sorted(tally.errors.items())
    ]
    problems += [("[yellow]warning[/]", shown(text, 500)) for text in tally.warnings]
    if problems:
        console.print()
        console.print(grid(problems[:_MOST_SHOWN]))
    if len(problems) > _MOST_SHOWN:
        rest = len(problems) - _MOST_SHOWN
        console.print(f"… and {rest:,} more: see `pipedream-source status` and `gaps`, or --json")


def _gap(gap: dict[str, object]) -> str:
    stream = f"{gap['emitter_id']} {gap['channel']}".rstrip()
    start, end = moment(gap["gap_start"]), moment(gap["gap_end"])  # type: ignore[arg-type]
    lost = lost_range(gap["lost_min"], gap["lost_likely"], gap["lost_max"])  # type: ignore[arg-type]
    return f"{shown(stream)}  {start} to {end} UTC  {lost} events lost"


def _without_name(name: str, why: str) -> str:
    return why.removeprefix(f"{name}: ")


def _next_steps(target: Target) -> Iterator[tuple[str, str]]:
    at = (
        ""
        if target.database.name == "pipedream_events.duckdb"
        else f" --database {target.database}"
    )
    yield f"pipedream-source status{at}", "how complete each stream is"
    yield f"pipedream-source gaps{at}", "what was lost"
    yield "pipedream-source check", "how often to load, so that nothing is"
