"""A few questions that the loaded tables answer, each a query that can be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console

from pipedream_source.cli.output.console import column, number, plain_table, plural, shown
from pipedream_source.cli.read.database import Row, open_reader
from pipedream_source.cli.read.stream_cells import lost_bounds

if TYPE_CHECKING:
    from pipedream_source.running.destination.target import Target

_BLOCKS = " ▁▂▃▄▅▆▇█"
_HOURS = 12
_SHOWN = 9

EVENTS_PER_HOUR = """\
SELECT emitter_name AS name, date_trunc('hour', emitted_at) AS hour, count(*) AS events
FROM pipedream.events
WHERE kind = 'source_event'
GROUP BY ALL ORDER BY ALL"""

FREQUENT_ERRORS = """\
SELECT code, workflow_name AS workflow, count(*) AS errors
FROM pipedream.errors
GROUP BY ALL ORDER BY errors DESC, code, workflow LIMIT 5"""

COMPLETENESS = """\
SELECT coalesce(emitter_name, emitter_id) AS name, channel, verdict, headroom,
       gaps, lost_min, lost_max
FROM pipedream.streams
ORDER BY gaps DESC, headroom NULLS LAST, name, channel"""


def ask(target: Target) -> dict[str, list[Row]]:
    """Run the queries and return their rows by the question's name."""
    with open_reader(target) as reader:
        return {name: reader.rows(query) for name, (_, query, _) in ANSWERS.items()}


def print_answers(console: Console, answers: dict[str, list[Row]]) -> None:
    """Write each question, its query and its answer."""
    for name, rows in answers.items():
        title, query, draw = ANSWERS[name]
        console.print(f"\n[bold]{title}[/]")
        for line in query.splitlines():
            console.print(f"[dim]  {shown(line)}[/]", soft_wrap=True)
        console.print()
        draw(console, rows)


def bars(counts: Iterable[int], most: int) -> str:
    """Draw counts as blocks of one line; anything above zero is seen."""
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-count * top // most)] if most else " " for count in counts)


def _draw_hours(console: Console, rows: list[Row]) -> None:
    last: datetime = max(row["hour"] for row in rows)
    hours = [last - timedelta(hours=back) for back in range(_HOURS - 1, -1, -1)]
    counts = {(row["name"], row["hour"]): row["events"] for row in rows}
    totals = {n: sum(counts.get((n, h), 0) for h in hours) for n in {r["name"] for r in rows}}
    most = max(counts.get((n, h), 0) for n in totals for h in hours)
    table = plain_table(
        column("  source"),
        column(_span(hours[0], last)),
        column("events", right=True),
        column("busiest hour", right=True),
    )
    busiest = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    for name, total in busiest[:_SHOWN]:
        own = [counts.get((name, hour), 0) for hour in hours]
        table.add_row(
            f"  {shown(name)}", f"[cyan]{bars(own, most)}[/]", f"{total:,}", f"{max(own):,}"
        )
    console.print(table)
    if len(busiest) > _SHOWN:
        console.print(f"  [dim]and {plural(len(busiest) - _SHOWN, 'more source')}[/]")


def _span(first: datetime, last: datetime) -> str:
    """Write the hours that the bars cover, with their date or dates, in UTC."""
    end = f"{last:%H}h" if first.date() == last.date() else f"{last:%m-%d %H}h"
    return f"{first:%Y-%m-%d %H}h to {end} UTC"


def _draw_errors(console: Console, rows: list[Row]) -> None:
    most = max((row["errors"] for row in rows), default=0)
    table = plain_table(
        column("  error"), column("workflow"), column("times", right=True), column("")
    )
    for row in rows:
        bar = "█" * round(row["errors"] / most * 20)
        names = (f"  {shown(row['code'])}", shown(row["workflow"]))
        table.add_row(*names, f"{row['errors']:,}", f"[red]{bar}[/]")
    console.print(table)


def _draw_completeness(console: Console, rows: list[Row]) -> None:
    table = plain_table(
        column("  stream"),
        column("channel"),
        column("verdict"),
        column("headroom", right=True),
        column("lost", right=True),
    )
    for row in rows[:_SHOWN]:
        style = "yellow" if row["gaps"] else "green"
        lost = lost_bounds(row["lost_min"], row["lost_max"]) if row["gaps"] else "0"
        names = (f"  {shown(row['name'])}", shown(row["channel"]), shown(row["verdict"]))
        table.add_row(*names, number(row["headroom"]), f"[{style}]{lost}[/]")
    console.print(table)
    rest = rows[_SHOWN:]
    if rest:
        losing = sum(row["gaps"] > 0 for row in rest)
        more = plural(len(rest), "more stream")
        console.print(f"  [dim]and {more}, {losing or 'none'} with a loss[/]")


Draw = Callable[[Console, list[Row]], None]
ANSWERS: dict[str, tuple[str, str, Draw]] = {
    "events_per_hour": ("Events per source and hour", EVENTS_PER_HOUR, _draw_hours),
    "frequent_errors": ("The most frequent errors", FREQUENT_ERRORS, _draw_errors),
    "completeness": (
        "Completeness per stream, the tightest first",
        COMPLETENESS,
        _draw_completeness,
    ),
}
