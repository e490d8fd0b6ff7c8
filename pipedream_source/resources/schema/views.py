"""The views of a dataset, for whoever has no dbt.

`pipedream-source load` makes them in DuckDB and Postgres. What reads a database that lacks them,
such as one of an older version, runs the same text by `view_query`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from pipedream_source.resources.schema.event_views import ERRORS, EVENTS
from pipedream_source.resources.schema.object_views import SOURCES_NOW, USAGE_DAILY
from pipedream_source.resources.schema.stream_views import LOSSES, STREAMS

VIEWS: Final = {
    view.name: view for view in (EVENTS, ERRORS, STREAMS, SOURCES_NOW, LOSSES, USAGE_DAILY)
}


def view_query(view: str, tables: Mapping[str, Collection[str]] | None = None) -> str:
    """Return the SELECT of a view, to run on a DuckDB database that need not have the view.

    Args:
        view: its name, such as `events`.
        tables: the columns of the tables that exist; other tables are read as empty, other
            columns as null. By default all are there. The dataset is on the search path.

    Raises:
        KeyError: there is no such view.
    """
    return VIEWS[view].query(tables)
