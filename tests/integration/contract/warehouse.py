"""A database in a folder of its own, filled from a server and read back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dlt
import duckdb

from pipedream_source import PipedreamClient, pipedream_source
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.context import LoadOptions
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load.load_run import run_load
from pipedream_source.running.report import LoadReport
from tests.integration.contract.server import KEY

TABLES = ("source_event_summaries", "workflow_emits", "workflow_errors")
CLIENT = ("retry_budget_s", "request_timeout_s", "org_id")


class Warehouse:
    """Loads from one server into one database, by the run loop or by dlt alone."""

    def __init__(self, folder: Path, url: str, name: str = "events.duckdb") -> None:
        self.folder, self.url = folder, url
        self.target = Target(database=folder / name)
        self.database = self.target.database

    def load(
        self, *, key: str = KEY, lock_wait_s: float = 0.0, fail_on_loss: bool = False, **arguments
    ) -> LoadReport:
        """Run the loop once and return its report."""
        options = LoadOptions(
            only=arguments.pop("only", "all"),
            lock_wait_s=lock_wait_s,
            fail_on_loss=fail_on_loss,
            compact=arguments.pop("compact", True),
        )
        ours = {name: arguments.pop(name) for name in CLIENT if name in arguments}
        with PipedreamClient(key, base_url=self.url, **ours) as client:
            return run_load(self.target, open_session(client, **arguments), options)

    def source(self, **arguments) -> Any:
        return pipedream_source(api_key=KEY, base_url=self.url, **arguments)

    def pipeline(self) -> dlt.Pipeline:
        """Return a pipeline as a user writes it, without the run loop."""
        return dlt.pipeline(
            "by_hand",
            pipelines_dir=str(self.folder / "dl"),
            destination=dlt.destinations.duckdb(str(self.database)),
            dataset_name="pipedream",
        )

    def renamed(self, name: str) -> "Warehouse":
        """Return the same database with another name for its files."""
        other = Warehouse(self.folder, self.url)
        other.target = replace(self.target, database=self.folder / name)
        other.database = other.target.database
        return other

    def rows(self, query: str, *values: Any) -> list[tuple]:
        """Return a query's rows; tables are found in the dataset."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            connection.execute("SET search_path = 'pipedream'; SET TimeZone = 'UTC'")
            return connection.execute(query, list(values)).fetchall()

    def one(self, query: str, *values: Any) -> tuple:
        (row,) = self.rows(query, *values)
        return row

    def events(self, table: str = "source_event_summaries") -> dict[tuple, bytes | None]:
        """Return all payloads by key, after checking that each key stands there once."""
        found = self.rows(f"SELECT emitter_id, channel, id, event::VARCHAR FROM {table}")
        by_key = {row[:3]: None if row[3] is None else row[3].encode() for row in found}
        assert len(found) == len(by_key), f"{len(found) - len(by_key)} duplicates in {table}"
        return by_key

    def gaps(self, emitter: str) -> list[tuple]:
        return self.rows(
            "SELECT verdict, after_id, before_id, lost_min, lost_likely, lost_max "
            "FROM event_gaps WHERE emitter_id = ? ORDER BY detected_at, after_id",
            emitter,
        )

    def status(self, emitter: str, columns: str = "verdict", channel: str = "") -> tuple:
        return self.one(
            f"SELECT {columns} FROM stream_status WHERE emitter_id = ? AND channel = ?",
            emitter,
            channel,
        )
