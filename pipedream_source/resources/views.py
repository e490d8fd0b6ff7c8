"""The views of a dataset, for whoever has no dbt.

`pipedream-source load` makes them in DuckDB and Postgres. What reads a database that lacks them,
such as one of an older version, runs the same text by `view_query`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pipedream_source.resources.event_views import ERRORS, EVENTS
from pipedream_source.resources.object_views import SOURCES_NOW, USAGE_DAILY
from pipedream_source.resources.stream_views import LOSSES, STREAMS
from pipedream_source.resources.view import READ

VIEWS: Final = {
    view.name: view for view in (EVENTS, ERRORS, STREAMS, SOURCES_NOW, LOSSES, USAGE_DAILY)
}


def view_query(view: str, tables: Collection[str] | None = None) -> str:
    """Return the SELECT of a view, to run on a DuckDB database that need not have the view.

    Args:
        view: its name, such as `events`.
        tables: the tables of the dataset that exist; others are read as empty. By default all
            are there. The dataset is on the search path.

    Raises:
        KeyError: there is no such view.
    """
    there = READ if tables is None else [table for table in READ if table.name in tables]
    return VIEWS[view].query({table.name: table.stored for table in there})
