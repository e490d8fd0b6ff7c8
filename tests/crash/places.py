"""Destinations that a kill is tried on: how they are named to dlt, and what stands in them."""

import importlib
import importlib.util
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

EVENTS = "source_event_summaries"
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Place:
    """One destination.

    Attributes:
        name: what dlt calls it.
        script: the script in `pipelines/` that loads to it, and the constants and words to change.
        after_copy: where a kill finds the events copied and not noted.
        keys: returns the keys of all rows of a table, given the folder of the test.
        environment: what dlt reads; `{folder}` stands for the folder of the test.
        module: what must be installed; empty if nothing more.
    """

    name: str
    script: tuple[str, dict[str, str]]
    after_copy: str
    keys: Callable[[Path, str], list[Key]]
    environment: dict[str, str] = field(default_factory=dict)
    module: str = ""

    @property
    def is_missing(self) -> bool:
        return bool(self.module) and importlib.util.find_spec(self.module) is None

    def variables(self, folder: Path) -> dict[str, str]:
        return {name: value.format(folder=folder) for name, value in self.environment.items()}


def _in_duckdb(folder: Path, table: str) -> list[Key]:
    with duckdb.connect(str(folder / "pipedream_events.duckdb"), read_only=True) as connection:
        return connection.execute(
            f"SELECT emitter_id, channel, id FROM pipedream.{table}"
        ).fetchall()


def _in_files(folder: Path, table: str) -> list[Key]:
    files = folder / "lake" / "pipedream" / table / "*.parquet"
    with duckdb.connect() as connection:
        return connection.execute(
            f"SELECT emitter_id, channel, id FROM read_parquet('{files}')"
        ).fetchall()


def _in_delta(folder: Path, table: str) -> list[Key]:
    kind = importlib.import_module("deltalake").DeltaTable

    found = kind(folder / "lake" / "pipedream" / table).to_pyarrow_table()
    columns = [found[name].to_pylist() for name in ("emitter_id", "channel", "id")]
    return list(zip(*columns, strict=True))


def _in_sqlite(folder: Path, table: str) -> list[Key]:
    # SQLite has no schemas: dlt makes a file of each dataset beside the one that was named.
    with sqlite3.connect(folder / "events__pipedream.db") as connection:
        return connection.execute(f"SELECT emitter_id, channel, id FROM {table}").fetchall()


_POSTGRES = '"pipedream_events", destination="postgres"'
_SQLITE = '"pipedream_events", destination="sqlalchemy"'
PLACES = (
    Place("duckdb", ("load_everything", {}), f"after copy:{EVENTS}", _in_duckdb),
    Place("parquet", ("to_parquet", {}), f"after file:{EVENTS}", _in_files),
    Place(
        "delta",
        ("to_parquet", {'"delta"] | None = None': '"delta"] | None = "delta"'}),
        f"after delta:{EVENTS}",
        _in_delta,
        module="deltalake",
    ),
    Place(
        "sqlite",
        ("to_postgres", {_POSTGRES: _SQLITE}),
        f"after merge:{EVENTS}",
        _in_sqlite,
        {"DESTINATION__SQLALCHEMY__CREDENTIALS": "sqlite:///{folder}/events.db"},
        module="sqlalchemy",
    ),
)
