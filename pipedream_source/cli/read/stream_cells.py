"""What `status` and `gaps` both show: a stream's names, and what was lost of it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Column

from pipedream_source.cli.output.console import (
    column,
    compact,
    shown,
)
from pipedream_source.cli.read.database import Row


def named(row: Row, names: Mapping[str, str]) -> Row:
    """Return a row with its emitter's name and without dlt's own columns."""
    kept = {name: value for name, value in row.items() if not name.startswith("_dlt")}
    return kept | {"name": names.get(row["emitter_id"])}


def stream_columns() -> dict[str, Column]:
    """Return the columns that name a stream."""
    return {
        "emitter": column("emitter"),
        "name": column("name", most=24),
        "channel": column("channel", most=20),
    }


def stream_cells(row: Row) -> dict[str, str]:
    """Return the cells that name a row's stream."""
    return {
        "emitter": shown(row["emitter_id"]),
        "name": shown(row["name"] or ""),
        "channel": shown(row["channel"]),
    }


def lost_bounds(least: int, most: int | None) -> str:
    """Write the bounds of a loss; an open one as `12+`."""
    return f"{compact(least)}+" if most is None else f"{compact(least)} to {compact(most)}"
