"""Record in the dataset what is deleted of the API's windows after it was proven to be loaded.

The row is written in one transaction around the request: it stands there if the API took it, and
only then. Killed in between, the deletion is not recorded, and the next load tells of it as of
anybody's. The dataset holds it rather than the working folder, for other machines and new folders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import DestinationUnavailable
from pipedream_source.resources.schema.tables import DELETIONS, STREAM_COVERAGE, row_id
from pipedream_source.running.destination.target import Target
from pipedream_source.running.duckdb.storage import set_for_writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TYPES = {"text": "VARCHAR", "bigint": "BIGINT", "timestamp": "TIMESTAMP WITH TIME ZONE"}
_COVERAGE = "SELECT from_id, until_id FROM {table} WHERE emitter_id = ? AND channel = ?"


@dataclass(frozen=True, slots=True)
class Deleted:
    """A stretch of a stream that is to be deleted; all that the API holds of it is loaded.

    Attributes:
        from_id, until_id: its ends, both included; no start means from the oldest on.
        events: how many the API holds of it.
    """

    emitter_id: str
    channel: str
    from_id: EventId | None
    until_id: EventId
    events: int


@contextmanager
def recorded(target: Target, deletions: Iterable[Deleted]) -> Iterator[None]:
    """Record deletions if the block, which asks the API for them, ends without an error.

    Args:
        target: a DuckDB file; no load can run meanwhile.
        deletions: what the block deletes.

    Raises:
        Busy: a load is at work.
        DestinationUnavailable: the database cannot be written; the block did not run.
    """
    with target.locked():
        is_as_left = target.is_untouched(target.noted_load_id)
        with _transaction(target) as connection:
            for deletion in deletions:
                _insert(connection, target.dataset, deletion)
            yield
        if is_as_left:
            # What changed is ours: the next load need not look for what somebody did.
            target.remember(target.noted_load_id)


@contextmanager
def _transaction(target: Target) -> Iterator[DuckDBPyConnection]:
    import duckdb

    try:
        connection = duckdb.connect(str(target.database))
        set_for_writing(connection)
        connection.begin()
        _create(connection, target.dataset)
    except duckdb.Error as error:
        why = printable(str(error).splitlines()[0], 300)
        shown = printable(str(target.database), 500)
        raise DestinationUnavailable(
            f"Nothing was deleted, as {shown} cannot be written now, where it would be recorded: "
            f"try again when no other process has it open. ({why})"
        ) from None
    with connection:
        yield connection
        connection.commit()


def _create(connection: DuckDBPyConnection, dataset: str) -> None:
    """Make the table as dlt would, if no load has made it yet."""
    columns = [
        f"{name} {_TYPES[kind]}{' NOT NULL' if name in DELETIONS.key else ''}"
        for name, kind in DELETIONS.columns.items()
    ]
    columns += ["_dlt_load_id VARCHAR NOT NULL", "_dlt_id VARCHAR NOT NULL"]
    table = f"{dataset}.{DELETIONS.name}"
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")


def _insert(connection: DuckDBPyConnection, dataset: str, deletion: Deleted) -> None:
    loads = f"SELECT coalesce(max(load_id), '') FROM {dataset}._dlt_loads"  # noqa: S608
    ((load_id,),) = connection.execute(loads).fetchall()
    row = {
        "emitter_id": deletion.emitter_id,
        "channel": deletion.channel,
        "from_id": str(deletion.from_id or ORIGIN),
        "until_id": str(deletion.until_id),
        "proven_from": str(_proven_from(connection, dataset, deletion)),
        "events": deletion.events,
        "deleted_at": datetime.now(UTC),
    }
    row |= {"_dlt_load_id": load_id, "_dlt_id": row_id(DELETIONS, row, load_id)}
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    table = f"{dataset}.{DELETIONS.name}"
    connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - our own names
        [*row.values()],
    )


def _proven_from(connection: DuckDBPyConnection, dataset: str, deletion: Deleted) -> EventId:
    """Return from where polls prove the stream complete up to the end of a deletion."""
    query = _COVERAGE.format(table=f"{dataset}.{STREAM_COVERAGE.name}")
    rows = connection.execute(query, [deletion.emitter_id, deletion.channel]).fetchall()
    until = deletion.until_id
    stretches = [[EventId.parse(text or "") or ORIGIN for text in row] for row in rows]
    return max((begin for begin, end in stretches if begin <= until <= end), default=until)
