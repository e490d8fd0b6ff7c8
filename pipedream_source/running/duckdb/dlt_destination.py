"""dlt's DuckDB destination, whose new files are made by this project; see `storage`.

dlt sets a storage version when a file is open already, which does nothing. So the file is made just
before dlt gets to it, where dlt's configuration says it is.

dlt leaves the staging tables filled, a second copy of what a load merged. They are emptied when a
package is complete; one that is killed before is loaded from its start, and fills them anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.destinations import duckdb
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.impl.duckdb.duck import DuckDbClient

from pipedream_source.running.duckdb.storage import (
    create_database,
    storage_version_of,
    write_settings,
)
from pipedream_source.settings import STORAGE_VERSION

_LOG = logging.getLogger("pipedream_source")
_USERS_OWN = "destination.duckdb.credentials.global_config"
_SPILL = "temp_directory"
_FILLED = (
    "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() "
    "AND schema_name = %s AND estimated_size > 0 AND NOT starts_with(table_name, '_dlt_')"
)


def duckdb_file(path: str | Path, *, storage_version: str = STORAGE_VERSION) -> DuckDbFile:
    """Return a destination for `dlt.pipeline`: a DuckDB file as `pipedream-source load` makes it.

    It takes a sixth of the room that payloads take in a file of `dlt.destinations.duckdb`, and
    every DuckDB from the storage version on opens it. A file that exists keeps its version.

    Args:
        path: the file; a relative path follows dlt's rules.
        storage_version: the oldest DuckDB that is to open a new file.
    """
    return DuckDbFile(path, storage_version)


class DuckDbFile(duckdb):
    """A DuckDB file that is made with a storage version, and written with ZSTD.

    Args:
        path: the file.
        storage_version: that a new file gets.
        options: more of DuckDB's settings; the user's own configuration goes before all of them.
    """

    # To dlt, which keeps it in its state, it is the destination that it derives from.
    __orig_base__ = duckdb
    destination_type = property(lambda _: "dlt.destinations.duckdb")
    client_class = property(lambda _: _Client)

    def __init__(
        self, path: str | Path, storage_version: str, options: Mapping[str, Any] | None = None
    ) -> None:
        self._storage_version = storage_version
        self._is_ours_to_set = dlt.config.get(_USERS_OWN) is None
        self._settings: dict[str, str | int] | None = None
        ours = DuckDbCredentials(str(path), global_config=dict(options or {}))
        super().__init__(ours if self._is_ours_to_set else str(path))

    def client(self, schema: Schema, initial_config: Any = None) -> Any:
        """Return dlt's client; the file exists from here on."""
        client = super().client(schema, initial_config)
        credentials = client.config.credentials
        path = Path(credentials.database)
        create_database(path, self._storage_version)
        if self._is_ours_to_set:
            if self._settings is None:  # later clients are made while others have the file open
                self._settings = write_settings(storage_version_of(path))
            credentials.global_config = self._settings | (credentials.global_config or {})
        return client

    @contextmanager
    def kept_open(self, pipeline: dlt.Pipeline) -> Iterator[None]:
        """Keep the file of a pipeline open while the block runs."""
        if not self._is_ours_to_set:
            yield
            return
        with pipeline.sql_client():
            # DuckDB may be told of its folder for what does not fit into memory until that is used.
            options = getattr(self.config_params.get("credentials"), "global_config", None) or {}
            folder = options.pop(_SPILL, None)
            try:
                yield
            finally:
                if folder is not None:
                    options[_SPILL] = folder


def kept_open(pipeline: dlt.Pipeline) -> AbstractContextManager[None]:
    """Keep a file of ours open: dlt opens it for each step, at 40 ms of CPU for a new instance."""
    destination = pipeline.destination
    return destination.kept_open(pipeline) if isinstance(destination, DuckDbFile) else nullcontext()


class _Client(DuckDbClient):
    """dlt's client; empties the staging tables when a package is complete."""

    def complete_load(self, load_id: str) -> None:
        super().complete_load(load_id)
        try:
            with self.sql_client.with_staging_dataset() as staging:
                for (name,) in staging.execute_sql(_FILLED, staging.dataset_name) or ():
                    table = staging.make_qualified_table_name(str(name))
                    staging.execute_sql(f"TRUNCATE {table}")
        except DatabaseException as error:
            # The rows are loaded, and dlt empties a table before it merges into it again.
            _LOG.debug("staging tables stay filled: %s", error)
