"""What the tests of `prune` look at: payloads in a database and in an archive."""

import hashlib
from pathlib import Path
from typing import Any

import duckdb
from pyarrow import parquet

from pipedream_source.running.destination.target import Target

TABLES = ("source_event_summaries", "workflow_emits", "workflow_errors")
Payloads = dict[tuple[str, ...], str | None]


def payloads(database: Path) -> dict[str, Payloads]:
    """What stands in the event tables: the payload of each key."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return {
            table: {
                tuple(key): event
                for *key, event in connection.execute(
                    f"SELECT emitter_id, channel, id, event::VARCHAR FROM pipedream.{table}"
                ).fetchall()
            }
            for table in TABLES
        }


def archived(folder: Path) -> dict[str, Payloads]:
    """What the archive holds, each payload with the digest that stands beside it."""
    found: dict[str, Payloads] = {table: {} for table in TABLES}
    for file in folder.glob("*.parquet"):
        for row in parquet.read_table(file).to_pylist():
            assert hashlib.sha256(row["event"].encode()).hexdigest() == row["event_sha256"]
            key = row["emitter_id"], row["channel"], row["id"]
            found[file.name.partition("-")[0]][key] = row["event"]
    return found


def assert_nothing_lost(before: dict[str, Payloads], target: Target, archive: Path) -> int:
    """Look for each payload in the database or the archive; return how many left the database."""
    now, kept = payloads(target.database), archived(archive)
    gone = 0
    for table, rows in before.items():
        assert set(now[table]) == set(rows)
        for key, event in rows.items():
            if now[table][key] is None and event is not None:
                assert kept[table][key] == event
                gone += 1
            else:
                assert now[table][key] == event
    return gone


class Dying:
    """Stands for a connection of DuckDB's, and ends with the process at a statement."""

    def __init__(self, connection: Any, at: str) -> None:
        self._connection, self._at = connection, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, query: str, *arguments: Any) -> Any:
        if self._at in query:
            raise KeyboardInterrupt
        return self._connection.execute(query, *arguments)

    def commit(self) -> None:
        if self._at == "commit":
            raise KeyboardInterrupt
        self._connection.commit()
