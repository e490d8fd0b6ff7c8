"""Bring pending load packages to the destination, after any crash, exactly once.

`pipeline.run` would load a pending package and skip the poll, and in a first run it wipes the
package instead: so packages are drained first, by hand. A package whose load was killed is loaded
from its start.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import dlt
from dlt.common.storages.load_package import PackageStorage, ParsedLoadJobFileName
from dlt.pipeline.exceptions import PipelineStepFailed

from pipedream_source.exceptions import PipedreamError
from pipedream_source.running.destination.memory import lift_limit, release_unused
from pipedream_source.running.destination.retry import RetryLimit, retry
from pipedream_source.running.duckdb.dlt_destination import kept_open
from pipedream_source.running.packages.damaged_files import (
    schema_version,
    stored_schema,
)
from pipedream_source.running.packages.first_load import (
    merge_late,
    note_first_load,
    settle_first_load,
)
from pipedream_source.running.packages.load_turns import turn
from pipedream_source.running.packages.package_folders import pending_packages
from pipedream_source.running.packages.undo import take_back

#: Stands in a package once its load has begun.
_BEGUN = PackageStorage.APPLIED_SCHEMA_UPDATES_FILE_NAME
_STATES = ("started_jobs", "completed_jobs", "new_jobs")


def drain(pipeline: dlt.Pipeline, limit: RetryLimit, first_load: Path) -> bool:
    """Normalize and load everything that is pending, oldest first.

    Args:
        pipeline: its working folder is held by this process's lock.
        limit: how long to wait for a destination that is locked or unreachable.
        first_load: notes packages that append; see `settle_first_load`.

    Returns:
        Whether there was anything.

    Raises:
        DestinationUnavailable: it could not be had in time; the packages stay.
        PipelineStepFailed: loading failed for good.
    """
    is_pending = pipeline.has_pending_data
    if is_pending:
        _forget_normalized(pipeline)
        _take_over_schemas(pipeline)
        pipeline.normalize()
    if is_pending or first_load.exists():
        note_first_load(pipeline, first_load)
        release_unused()
        _load(pipeline, limit, first_load)
    return is_pending


def _load(pipeline: dlt.Pipeline, limit: RetryLimit, first_load: Path) -> None:
    attempt = partial(_load_pending, pipeline, limit, first_load)
    otherwise = f"What was polled is kept in {pipeline.working_dir} for the next run."
    try:
        retry(attempt, limit, otherwise=otherwise)
    except PipelineStepFailed as error:
        if not lift_limit(pipeline, error):
            raise
        retry(attempt, limit, otherwise=otherwise)


def _take_over_schemas(pipeline: dlt.Pipeline) -> None:
    """Complete what a killed or rescued run did not tell dlt of the schemas of its packages.

    Without a schema's name `normalize` and `load` return at once and leave the packages where they
    are. And `normalize` prefers the schema that was stored last to that of the package, by which
    rows would be appended that are to be merged.
    """
    for package in pending_packages(Path(pipeline.working_dir)):
        name, version = schema_version(package)
        if not pipeline.default_schema_name:
            with pipeline.managed_state():
                pipeline.default_schema_name = name  # type: ignore[assignment]
        stored = pipeline.schemas.has_schema(name) and pipeline.schemas[name]
        if not stored or stored.stored_version < version:
            pipeline.schemas.save_schema(stored_schema(package))


def _forget_normalized(pipeline: dlt.Pipeline) -> None:
    """Remove extracted packages that were normalized already: dlt would fail on the second time."""
    extracted = Path(pipeline.working_dir) / "normalize" / "extracted"
    for load_id in pipeline.list_normalized_load_packages():
        shutil.rmtree(extracted / load_id, ignore_errors=True)


def _load_pending(pipeline: dlt.Pipeline, limit: RetryLimit, first_load: Path) -> None:
    with kept_open(pipeline):
        while pipeline.has_pending_data:
            before = waiting_packages(pipeline)
            with turn(pipeline, limit.seconds):
                _begin_anew(pipeline)
                merge_late(pipeline, first_load)
                pipeline.load()
            if waiting_packages(pipeline) == before:
                raise PipedreamError(f"dlt leaves these packages unloaded: {', '.join(before)}")
        settle_first_load(pipeline, first_load)


def waiting_packages(pipeline: dlt.Pipeline) -> list[str]:
    """Return the ids of packages that wait to be loaded."""
    return [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]


def has_begun(package: Path) -> bool:
    """Tell whether a load of a package began, and was killed or failed midway."""
    return (package / _BEGUN).exists()


def _begin_anew(pipeline: dlt.Pipeline) -> None:
    """Take back what killed loads did, so that their packages are loaded from the start.

    dlt would go on where its notes end; but a copy may be committed without a note, and would be
    copied twice, and a power cut may leave the statements of a merge cut short.
    """
    for package in pending_packages(Path(pipeline.working_dir)):
        if has_begun(package):
            files = [file for state in _STATES for file in (package / state).glob("*.*")]
            tables = {_job(file).table_name for file in files if _is_copy(file)}
            schema = stored_schema(package)
            with pipeline.destination_client(schema.name) as client:
                # A later package's schema may merge where this one appends.
                client.schema = schema
                take_back(client, tables, package.name)
            _rewind(package, files)


def _rewind(package: Path, files: Iterable[Path]) -> None:
    for file in files:
        if _is_copy(file):
            file.replace(package / "new_jobs" / file.name)
        else:
            # Merges are written anew when their copies are done.
            file.unlink()
    for note in (package / ".pending_transitions").glob("*"):
        note.unlink()
    # Makes dlt create tables that are missing, and empty the staging tables.
    (package / PackageStorage.SCHEMA_UPDATES_FILE_NAME).write_text("{}", encoding="utf-8")
    # Set by a load that was killed before it moved the package to those that are done.
    (package / PackageStorage.PACKAGE_COMPLETED_FILE_NAME).unlink(missing_ok=True)
    (package / _BEGUN).unlink()


def _job(file: Path) -> ParsedLoadJobFileName:
    return ParsedLoadJobFileName.parse(file.name)


def _is_copy(file: Path) -> bool:
    return _job(file).file_format not in ("sql", "reference")
