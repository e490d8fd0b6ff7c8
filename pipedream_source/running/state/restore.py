"""Make the cursors those of the destination, before anything is polled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import partial

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.running.description.describe import keep_described
from pipedream_source.running.destination.errors import NO_SQL, is_passing, reason_of
from pipedream_source.running.destination.retry import RetryLimit, retry
from pipedream_source.running.destination.target import Target
from pipedream_source.running.packages.undo import can_delete_rows
from pipedream_source.running.report import LoadReport
from pipedream_source.running.state.cursors import join_other_machines, take_over
from pipedream_source.running.state.old_runs import forget_old_runs
from pipedream_source.running.state.row_counts import (
    Holdings,
    Sql,
    holds_load,
    note_holdings,
    noted_holdings,
    rows_gone,
)
from pipedream_source.running.state.stored_states import forget_old_states, take_back_states

_PACKAGES = ("normalize/extracted/*", "load/normalized/*", "load/loaded/*")


def open_pipeline(target: Target, limit: RetryLimit, *, progress: object) -> dlt.Pipeline:
    """Return the target's pipeline, its state restored from the destination when it is fresh.

    A package extracted without the restored state would replace it, so an existing destination
    that cannot be read now is waited for, and then nothing is polled.

    Args:
        target: where the rows go; the caller holds its lock.
        limit: how long to wait for the destination.
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
        return retry(restored, limit, otherwise="Nothing was polled.")
    except PipelineStepFailed as error:
        why = printable(reason_of(error), 300)
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


def adopt_destination_state(
    pipeline: dlt.Pipeline, target: Target, report: LoadReport, *, drained: Sequence[str] = ()
) -> None:
    """Start from the destination's own state if it is not the one that this folder left.

    The file may have been deleted, replaced or restored from a backup, or another machine may
    have loaded to it since. Nothing may be pending.

    Args:
        pipeline: its packages are drained.
        target: where the rows go.
        report: is told when the local cursors were dropped or changed.
        drained: the packages that this run found pending and loaded.

    Raises:
        PipelineStepFailed: the destination's state cannot be read.
    """
    _complete_cursors(pipeline, drained)
    last, before = last_load_id(pipeline), noted_holdings(target)
    if last is None:
        # Killed in its first extract, a run leaves packages, loaded by now, and no cursors.
        if not (target.exists and pipeline.list_completed_load_packages()):
            return
        drained = ()
        pipeline.drop()
        _sync(pipeline)
    elif target.is_untouched(last):
        return
    elif not _holds(pipeline, target, [last, before.load_id if before else last]):
        drained = ()
        _start_over(pipeline, target, before, report)
    # What dlt restores is the state with the highest load id alone.
    if target.exists and last_load_id(pipeline) and _join(pipeline, drained):
        report.notes.append(
            "Another run loaded to this destination since: of each stream the newer cursor is used."
        )


def _complete_cursors(pipeline: dlt.Pipeline, drained: Sequence[str]) -> None:
    """Take the cursors of a package that was committed by a run that did not save them."""
    last = last_load_id(pipeline)
    late = [load_id for load_id in drained if last and load_id > last]
    if not late:
        return
    try:
        with pipeline.sql_client() as sql:
            take_over(pipeline, sql, late)
    except NO_SQL:
        pipeline.sync_destination()


def close_load(pipeline: dlt.Pipeline, target: Target, report: LoadReport) -> None:
    """Note what the load that ends now left in the destination, and let that explain itself.

    Only now is it known that nobody replaced the file while the run was at work: if so, what it
    loaded came on top of an older state, which the next run starts from.
    """
    last, before = last_load_id(pipeline), noted_holdings(target)
    if last is None:
        return
    try:
        with pipeline.sql_client() as sql:
            if before and not holds_load(sql, before.load_id):
                _start_over(pipeline, target, before, report)
                return
            note_holdings(target, sql, last)
            forget_old_states(pipeline, sql)
            forget_old_runs(target, sql)
            report.notes += keep_described(pipeline, target, sql)
    except NO_SQL:
        target.holdings.unlink(missing_ok=True)
    except Exception as error:
        if is_passing(error):
            return  # the next run asks the destination
        raise
    target.remember(last)


def last_load_id(pipeline: dlt.Pipeline) -> str | None:
    """Return the id of the last load package that moved the cursors."""
    source_state = pipeline.state.get("sources", {}).get("pipedream", {})
    found = source_state.get("last_load_id")
    return str(found) if found else None


def _holds(pipeline: dlt.Pipeline, target: Target, load_ids: Sequence[str]) -> bool:
    """Tell whether the destination holds these loads.

    One that cannot be asked now, or has no SQL, is believed.
    """
    if not target.exists:
        return False
    try:
        with pipeline.sql_client() as sql:
            return all(holds_load(sql, load_id) for load_id in load_ids)
    except NO_SQL:
        return True
    except Exception as error:
        if is_passing(error):
            return True
        raise


def _start_over(
    pipeline: dlt.Pipeline, target: Target, before: Holdings | None, report: LoadReport
) -> None:
    """Drop the local cursors for those of a destination that lacks what was loaded."""
    if target.exists and before:
        with pipeline.sql_client() as sql:
            report.tell_gone(rows_gone(sql, before))
            if can_delete_rows(pipeline):
                _take_back_own_states(pipeline, sql, before.load_id)
    elif before:
        report.tell_gone({table: count for table, count in before.rows.items() if count})
    for note in (target.holdings, target.reread, target.described):
        note.unlink(missing_ok=True)
    target.remember("")
    pipeline.drop()
    if target.exists:
        _sync(pipeline)
    report.notes.append(
        "The destination does not hold what was loaded last: its own cursors are used, and "
        "windows without one are read whole."
    )


def _take_back_own_states(pipeline: dlt.Pipeline, sql: Sql, load_id: str) -> None:
    """Remove own cursors that came to a replaced destination on top of its older ones.

    Those of another machine stay: it starts from what the destination holds, too.
    """
    later = [own for own in pipeline.list_completed_load_packages() if own > load_id]
    take_back_states(sql, pipeline.pipeline_name, later)


def _join(pipeline: dlt.Pipeline, drained: Sequence[str]) -> bool:
    """Take the newer cursors where other machines have loaded; tell whether there are any."""
    try:
        with pipeline.sql_client() as sql:
            return join_other_machines(pipeline, sql, drained)
    except NO_SQL:
        return False
    except Exception as error:
        if is_passing(error):
            return False
        raise
