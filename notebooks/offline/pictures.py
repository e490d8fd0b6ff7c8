"""The charts alone: a page that needs nothing else, and a PNG, of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from notebooks.reading import charts, completeness, errors, events, forecast, streams, usage
from notebooks.reading.database import Database

_WIDTH = 900


def write_charts(database: Database, folder: Path, only: Collection[str] = ()) -> Iterator[Path]:
    """Write each chart that there is data for, or those of these names; yields the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, chart in charts_of(database):
        if only and name not in only:
            continue
        sized = chart.properties(width=_WIDTH)
        page, picture = folder / f"{name}.html", folder / f"{name}.png"
        sized.save(page, inline=True)
        sized.save(picture, scale_factor=2)
        yield from (page, picture)


def charts_of(database: Database) -> Iterator[tuple[str, Any]]:
    """Yield the name and the chart of each, as the notebooks show them at first."""
    known = streams.streams(database)
    if not known.empty:
        first = known.iloc[0]
        busiest = events.Selection(first["source_table"], first["emitter_id"], first["channel"])
        step = events.bar_seconds(first["first_at"], first["last_at"], first["events"])
        yield "pace", charts.pace(events.pace(database, busiest, step))
        yield "sizes", charts.sizes(events.sizes(database, busiest))
    thrown = errors.by_workflow(database)
    if not thrown.empty:
        step = events.bar_seconds(*errors.span(database), thrown["errors"].sum())
        yield "errors", charts.errors_over_time(errors.timeline(database, step))
        yield "errors-by-workflow", charts.errors_by_workflow(thrown)
    found, until = completeness.periods(database), database.as_of()
    if until is not None and not found.empty:
        since = completeness.default_since(found, until, 7)
        step = completeness.step_seconds(since, until)
        yield "completeness", charts.heat_map(completeness.hours(found, since, until, step))
        yield "headroom", charts.headroom(completeness.headroom(database))
    daily = usage.days(usage.snapshots(database))
    if not daily.empty:
        tightest = next(iter(usage.owner_labels(daily).values()))
        yield "quotas", charts.quotas(usage.of_owner(daily, tightest))
    for number, period in enumerate(forecast.periods(usage.billing(database)), start=1):
        yield f"credits-{number}", charts.credits(period)
    top = usage.top_emitters(database)
    if not top.empty:
        yield "top-emitters", charts.top_emitters(top)
