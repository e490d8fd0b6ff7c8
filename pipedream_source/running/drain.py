"""Bring pending load packages to the destination, after any crash, exactly once.

`pipeline.run` would load a pending package and skip the poll, and in a first run it wipes the
package instead: so packages are drained first, by hand. A process killed between the commit of a
copy and dlt's note of it would copy the file again: its rows are removed first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dlt
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import DestinationUnavailable

_RETRY_EVERY_S = 0.5
_PENDING_NOTES = ".pending_transitions"
# What a database says when it cannot be had now but may be later.
_PASSING = (
    "could not set lock",
    "conflicting lock",
    "connection refused",
    "could not connect",
    "connection to server",
    "connection reset",
    "timed out",
    "timeout expired",
    "database is locked",
)


def is_passing(error: BaseException) -> bool:
    """Tell a lock or a lost connection, which waiting may mend, from a lasting failure."""
    texts = " ".join(str(e).lower() for e in _chain(error))
    return any(sign in texts for sign in _PASSING)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def drain(pipeline: dlt.Pipeline, *, wait_s: float) -> bool:
    """Normalize and load everything that is pending, oldest first.

    Args:
        pipeline: its working folder is held by this process's lock.
        wait_s: seconds to wait for a destination that is locked or unreachable.

    Returns:
        Whether there was anything.

    Raises:
        DestinationUnavailable: it could not be had in time; the packages stay.
        PipelineStepFailed: loading failed for good.
    """
    if not pipeline.has_pending_data:
        return False
    deadline = time.monotonic() + wait_s
    pipeline.normalize()
    while pipeline.has_pending_data:
        try:
            _forget_half_noted_copies(pipeline)
            pipeline.load()
        except (PipelineStepFailed, DatabaseException) as error:
            if not is_passing(error):
                raise
            if time.monotonic() >= deadline:
                raise DestinationUnavailable(
                    "The destination is locked or unreachable "
                    f"({printable(str(root_cause(error)), 300)}). What was polled is kept in "
                    f"{pipeline.working_dir} and is loaded by the next run."
                ) from None
            time.sleep(_RETRY_EVERY_S)
    return True


def root_cause(error: BaseException) -> BaseException:
    """Return the innermost error of a chain."""
    return list(_chain(error))[-1]


def _forget_half_noted_copies(pipeline: dlt.Pipeline) -> None:
    """Remove rows of copies that were started and never noted as done.

    Whether such a copy was committed is unknown; it runs again in any case. Only a table with a
    single file in the package can be emptied safely, which is all that this package writes.
    """
    for load_id in pipeline.list_normalized_load_packages():
        info = pipeline.get_load_package_info(load_id)
        tables = Counter(
            job.job_file_info.table_name
            for state, jobs in info.jobs.items()
            if state != "failed_jobs"
            for job in jobs
            if _is_copy(job)
        )
        started = [
            job.job_file_info.table_name
            for job in info.jobs["started_jobs"]
            if _is_copy(job) and not _is_noted(info.package_path, job)
        ]
        unsure = [table for table in started if tables[table] == 1]
        if unsure:
            _delete_rows(pipeline, info.schema_name, unsure, load_id)


def _is_copy(job: LoadJobInfo) -> bool:
    return job.job_file_info.file_format not in ("sql", "reference")


def _is_noted(package_path: str, job: LoadJobInfo) -> bool:
    folder = Path(package_path) / _PENDING_NOTES
    return any(folder.glob(f"{job.job_file_info.file_name()}*")) if folder.is_dir() else False


def _delete_rows(
    pipeline: dlt.Pipeline, schema_name: str, tables: list[str], load_id: str
) -> None:
    with pipeline.destination_client(schema_name) as client:
        sql = getattr(client, "sql_client", None)
        if not isinstance(sql, SqlClientBase):
            return
        staged = getattr(client, "should_load_data_to_staging_dataset", lambda _: False)
        for table in tables:
            if staged(table):
                with sql.with_staging_dataset():
                    _delete_package(sql, table, load_id)
            else:
                _delete_package(sql, table, load_id)


def _delete_package(sql: SqlClientBase[object], table: str, load_id: str) -> None:
    # Table names are dlt's own, normalized and quoted by its client; the load id is bound.
    name = sql.make_qualified_table_name(table)
    try:
        sql.execute_sql(f"DELETE FROM {name} WHERE _dlt_load_id = %s", load_id)  # noqa: S608
    except DatabaseUndefinedRelation:
        return
