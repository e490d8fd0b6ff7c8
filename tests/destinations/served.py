"""A dataset on a Postgres server, filled from a server of the contract and read back."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipedream_source.running.destination.target import Target
from tests.dbt.postgres import Server
from tests.integration.contract import Warehouse


class Served(Warehouse):
    """The same as a warehouse, in a schema of a server; a `twin` has its own working folder."""

    def __init__(self, folder: Path, url: str, server: Server, dataset: str) -> None:
        super().__init__(folder, url)
        self.server, self.dataset = server, dataset
        working = folder / "working"
        self.target = Target(destination="postgres", dataset=dataset, pipelines_dir=working)

    def twin(self, name: str) -> "Served":
        other = Served(self.folder, self.url, self.server, self.dataset)
        other.target = replace(self.target, pipelines_dir=self.folder / name)
        return other

    def rows(self, query: str, *values: Any) -> list[tuple]:
        with self._cursor() as cursor:
            cursor.execute(query.replace("::VARCHAR", "::text"), values)
            return list(cursor.fetchall())

    def execute(self, statements: str) -> None:
        with self._cursor() as cursor:
            cursor.execute(statements)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        connection = importlib.import_module("psycopg2").connect(self.server.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SET search_path = {self.dataset}; SET TIME ZONE 'UTC'")
                yield cursor
        finally:
            connection.close()

    @property
    def schemas(self) -> list[str]:
        """The schemas that belong to the dataset."""
        query = "SELECT schema_name::text FROM information_schema.schemata ORDER BY 1"
        return [name for (name,) in self.rows(query) if name.startswith(self.dataset)]
