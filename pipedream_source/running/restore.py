"""Make the cursors those of the destination, before anything is polled."""

from __future__ import annotations

import json
import shutil
from functools import partial

import dlt
from dlt.destinations.exceptions import (
    DatabaseException,
    DatabaseUndefinedRelation,
    DestinationConnectionError,
)
from dlt.pipeline.exceptions import PipelineStepFailed

from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.running.patience import Patience, is_passing, patiently, root_cause
from pipedream_source.running.target import Target

_PACKAGES = ("normalize/extracted/*", "load/normalized/*", "load/loaded/*")


def open_pipeline(target: Target, patience: Patience, *, progress: object) -> dlt.Pipeline:
    """Return the target's pipeline, its state restored from the destination when it is fresh.

    A package extracted without the restored state would replace it, so an existing destination
    that cannot be read now is waited for, and then nothing is polled.

    Args:
        target: where the rows go; the caller holds its lock.
        patience: how long to wait for the destination.
        progress: a dlt collector.

    Raises:
        DestinationUnavailable: an existing destination cannot be read in time.
        ConfigurationError: it can never be read, such as a damaged file.
    """
    if _has_state(target) or not target.exists:
        return target.pipeline(progress)
    shutil.rmtree(target.working_dir, ignore_errors=True)
    try:
        restored = partial(_restored, target, progress)
        return patiently(restored, patience, otherwise="Nothing was polled.")
    except PipelineStepFailed as error:
        why = printable(str(root_cause(error)), 300)
    raise ConfigurationError(f"The destination cannot be read: {why}")


def _restored(target: Target, progress: object) -> dlt.Pipeline:
    pipeline = target.pipeline(progress)
    _sync(pipeline)
    return pipeline


def _sync(pipeline: dlt.Pipeline) -> None:
    """Read the destination's state into a new working folder, or leave no folder."""
    try:
        pipeline.sync_destination()
    except PipelineStepFailed:
        # Without a state it would look like a folder with one the next time.
        shutil.rmtree(pipeline.working_dir, ignore_errors=True)
        raise


def _has_state(target: Target) -> bool:
    """Tell whether the working folder has cursors, or packages that move them.

    A run that is killed while it restores them leaves a state without any.
    """
    folder = target.working_dir
    if any(any(folder.glob(packages)) for packages in _PACKAGES):
        return True
    try:
        return "sources" in json.loads((folder / "state.json").read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True  # damaged, which dlt says better


def adopt_destination_state(pipeline: dlt.Pipeline, target: Target) -> str | None:
    """Start from the destination's own state if it is not the one that this folder left.

    The file may have been deleted, replaced or restored from a backup, or another machine may
    have loaded to it since. Nothing may be pending.

    Args:
        pipeline: drained.
        target: where the rows go.

    Returns:
        What to tell the user when the local cursors were dropped, else None.

    Raises:
        PipelineStepFailed: the destination's state cannot be read.
    """
    last = last_load_id(pipeline)
    if last is None:
        # Killed in its first extract, a run leaves packages, loaded by now, and no cursors.
        if target.exists and pipeline.list_completed_load_packages():
            pipeline.drop()
            _sync(pipeline)
        return None
    if target.is_untouched(last):
        return None
    held, newest = _held_by(pipeline, target, last)
    if held and newest <= pipeline.state["_state_version"]:
        return None
    if held:
        pipeline.sync_destination()
        return "Another run loaded to this destination since: its cursors are used."
    pipeline.drop()
    if target.exists:
        _sync(pipeline)
    return (
        "The destination does not hold what was loaded last: its own cursors are used, and "
        "windows without one are read whole."
    )


def last_load_id(pipeline: dlt.Pipeline) -> str | None:
    """Return the id of the last load package that moved the cursors."""
    source_state = pipeline.state.get("sources", {}).get("pipedream", {})
    found = source_state.get("last_load_id")
    return str(found) if found else None


def _held_by(pipeline: dlt.Pipeline, target: Target, load_id: str) -> tuple[bool, int]:
    """Tell whether the destination holds a load, and the version of its newest state.

    A destination that cannot be asked now, or has no SQL, is believed.
    """
    if not target.exists:
        return False, 0
    try:
        with pipeline.sql_client() as sql:
            loads = sql.make_qualified_table_name("_dlt_loads")
            states = sql.make_qualified_table_name("_dlt_pipeline_state")
            held = f"SELECT 1 FROM {loads} WHERE load_id = %s"  # noqa: S608
            newest = f"SELECT max(version) FROM {states} WHERE pipeline_name = %s"  # noqa: S608
            found = sql.execute_sql(newest, pipeline.pipeline_name) or [(0,)]
            return bool(sql.execute_sql(held, load_id)), int(found[0][0] or 0)
    except DatabaseUndefinedRelation:
        return False, 0
    except (DatabaseException, DestinationConnectionError) as error:
        if is_passing(error):
            return True, 0
        raise
    except (NotImplementedError, AttributeError, TypeError):
        return True, 0
