"""Bring pending load packages to the destination, after any crash, exactly once.

`pipeline.run` would load a pending package and skip the poll, and in a first run it wipes the
package instead: so packages are drained first, by hand. A process killed between the commit of a
copy and dlt's note of it would copy the file again: its rows are removed first.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import dlt
from dlt.common.destination.client import JobClientBase
from dlt.common.storages import FileStorage
from dlt.common.storages.load_package import LoadJobInfo, LoadPackageInfo, PackageStorage
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.exceptions import PipedreamError
from pipedream_source.running.first_load import note_first_load, settle_first_load
from pipedream_source.running.patience import Patience, patiently

_PENDING_NOTES = ".pending_transitions"
#: Stands in a package once its load has begun.
_BEGUN = PackageStorage.APPLIED_SCHEMA_UPDATES_FILE_NAME


def drain(pipeline: dlt.Pipeline, patience: Patience, first_load: Path) -> bool:
    """Normalize and load everything that is pending, oldest first.

    Args:
        pipeline: its working folder is held by this process's lock.
        patience: how long to wait for a destination that is locked or unreachable.
        first_load: notes packages that append; see `settle_first_load`.

    Returns:
        Whether there was anything.

    Raises:
        DestinationUnavailable: it could not be had in time; the packages stay.
        PipelineStepFailed: loading failed for good.
    """
    is_pending = pipeline.has_pending_data
    if is_pending:
        _take_over_schemas(pipeline)
        pipeline.normalize()
    if is_pending or first_load.exists():
        note_first_load(pipeline, first_load)
        patiently(
            partial(_load_pending, pipeline, first_load),
            patience,
            otherwise=f"What was polled is kept in {pipeline.working_dir} for the next run.",
        )
    return is_pending


def _take_over_schemas(pipeline: dlt.Pipeline) -> None:
    """Complete what an extract that was killed after its commit did not tell dlt of its schema.

    Without its name `normalize` and `load` return at once and leave the packages where they are.
    And `normalize` prefers the schema that was stored last to that of the package, by which rows
    would be appended that are to be merged.
    """
    storage = FileStorage(str(Path(pipeline.working_dir) / "normalize" / "extracted"))
    for load_id in pipeline.list_extracted_load_packages():
        schema = PackageStorage(storage, "extracted").load_schema(load_id)
        if not pipeline.default_schema_name:
            with pipeline.managed_state():
                pipeline.default_schema_name = schema.name  # type: ignore[assignment]
        stored = pipeline.schemas.has_schema(schema.name) and pipeline.schemas[schema.name]
        if not stored or stored.stored_version < schema.stored_version:
            pipeline.schemas.save_schema(schema)


def _load_pending(pipeline: dlt.Pipeline, first_load: Path) -> None:
    while pipeline.has_pending_data:
        before = _pending(pipeline)
        _undo_what_was_not_noted(pipeline)
        pipeline.load()
        if _pending(pipeline) == before:
            raise PipedreamError(f"dlt leaves these packages unloaded: {', '.join(before)}")
    settle_first_load(pipeline, first_load)


def _pending(pipeline: dlt.Pipeline) -> list[str]:
    return [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]


def _undo_what_was_not_noted(pipeline: dlt.Pipeline) -> None:
    """Take back what killed loads did in the destination without a note that it was done.

    Whether it was committed is unknown; it is done again in any case.
    """
    for load_id in pipeline.list_normalized_load_packages():
        info = pipeline.get_load_package_info(load_id)
        if (Path(info.package_path) / _BEGUN).exists():
            tables = _half_noted_copies(info)
            with pipeline.destination_client(info.schema_name) as client:
                _delete_rows(client, tables, load_id)


def _half_noted_copies(info: LoadPackageInfo) -> list[str]:
    """Return the tables of copies that were started and never noted as done.

    Only a table with a single file in the package can be emptied safely, which is all that this
    package writes.
    """
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
    return [table for table in started if tables[table] == 1]


def _is_copy(job: LoadJobInfo) -> bool:
    return job.job_file_info.file_format not in ("sql", "reference")


def _is_noted(package_path: str, job: LoadJobInfo) -> bool:
    folder = Path(package_path) / _PENDING_NOTES
    return any(folder.glob(f"{job.job_file_info.file_name()}*")) if folder.is_dir() else False


def _delete_rows(client: JobClientBase, tables: list[str], load_id: str) -> None:
    sql = getattr(client, "sql_client", None)
    if not isinstance(sql, SqlClientBase):
        return
    staged = getattr(client, "should_load_data_to_staging_dataset", lambda _: False)
    for table in tables:
        if staged(table):
            with sql.with_staging_dataset():
                _delete_package(sql, table, load_id, "_dlt_load_id")
        else:
            _delete_package(sql, table, load_id, "_dlt_load_id")
    # The load is recorded when all is done, by a row without a key.
    _delete_package(sql, "_dlt_loads", load_id, "load_id")


def _delete_package(sql: SqlClientBase[object], table: str, load_id: str, column: str) -> None:
    # Table names are dlt's own, normalized and quoted by its client; the load id is bound.
    name = sql.make_qualified_table_name(table)
    try:
        sql.execute_sql(f"DELETE FROM {name} WHERE {column} = %s", load_id)  # noqa: S608
    except DatabaseUndefinedRelation:
        return
