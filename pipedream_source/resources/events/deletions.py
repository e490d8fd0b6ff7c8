"""Reads what `pipedream-source events delete` took, from the dataset that a load writes to.

It is asked for only when a window lacks what was loaded. The rows stand in the dataset, not in the
working folder, so that another machine and a new folder know them too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import dlt
from dlt.destinations.exceptions import DatabaseUndefinedRelation

from pipedream_source.core.completeness.deletion import Deletion
from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import PipedreamError
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.resources.schema.tables import DELETIONS

_ROWS = "SELECT emitter_id, channel, from_id, until_id, proven_from FROM {table}"
# `events delete` compares with DuckDB files only.
_RECORDED_IN = "dlt.destinations.duckdb"

Deletions = Mapping[Stream, Sequence[Deletion]]


class DeletionsUnread(PipedreamError):
    """Whether a missing event was deleted by us cannot be told now; the next load looks again."""


def read_deletions() -> Deletions:
    """Return the deletions that are recorded in the dataset of the pipeline at work.

    Raises:
        DeletionsUnread: the database cannot be read, such as one that is locked.
    """
    pipeline = dlt.current.pipeline()
    if not pipeline.destination or pipeline.destination.destination_type != _RECORDED_IN:
        return {}
    found: defaultdict[Stream, list[Deletion]] = defaultdict(list)
    try:
        with pipeline.sql_client() as client:
            name = client.make_qualified_table_name(DELETIONS.name)
            rows = client.execute_sql(_ROWS.format(table=name)) or ()
    except DatabaseUndefinedRelation:
        return {}
    except Exception as error:
        raise DeletionsUnread(
            "events that were loaded are gone, and whether `events delete` took them cannot be "
            f"read from the database now ({printable(str(_root_of(error)), 200)}): the next load "
            "looks again"
        ) from error
    for emitter_id, channel, *ids in rows:
        from_id, until_id, proven_from = (EventId.parse(text) or ORIGIN for text in ids)
        found[Stream(emitter_id, channel)].append(Deletion(from_id, until_id, proven_from))
    return found


def _root_of(error: BaseException) -> BaseException:
    """Return what dlt's own errors came from, which they wrap in long texts."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error
