"""The part of a run that needs dlt: restore, drain, extract, normalize, load."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.time import increasing_precise_time
from dlt.destinations.exceptions import DatabaseException, DestinationConnectionError
from dlt.extract import DltResource, DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import (
    ConfigurationError,
    DestinationUnavailable,
    PipedreamError,
)
from pipedream_source.resources.arrow.items import items_of
from pipedream_source.resources.events.forget import forgetting
from pipedream_source.resources.schema.tables import LOAD_RUNS
from pipedream_source.resources.session.session import Session
from pipedream_source.resources.session.source_state import remember_objects
from pipedream_source.running.context import Run
from pipedream_source.running.destination.dlt_defaults import configure_dlt
from pipedream_source.running.destination.errors import (
    damage_told_by,
    is_configuration,
    is_of_driver,
    reason_of,
    root_cause,
)
from pipedream_source.running.destination.retry import RetryLimit
from pipedream_source.running.duckdb.file import DAMAGE_ADVICE
from pipedream_source.running.load.afterwards import note_news
from pipedream_source.running.load.dlt_internals import set_load_clock
from pipedream_source.running.packages.drain import drain, waiting_packages
from pipedream_source.running.packages.refused_values import advice, is_refused
from pipedream_source.running.packages.rescue import bring_back, set_aside_damage
from pipedream_source.running.packages.staging import own_staging
from pipedream_source.running.state.repair import mend_destination, yield_again
from pipedream_source.running.state.reread import note_reread, streams_to_reread
from pipedream_source.running.state.restore import (
    adopt_destination_state,
    close_load,
    last_load_id,
    open_pipeline,
)
from pipedream_source.source import ENTITY_RESOURCES, EVENT_RESOURCES, resources

_KEPT_PACKAGES = 5
_FAILURES = (
    PipelineStepFailed,
    DatabaseException,
    DestinationConnectionError,
    ConfigurationException,
)


def write_package(run: Run) -> None:
    """Extract what the session selects into a load package, and load it.

    Args:
        run: its target is locked by the caller; its report is completed.

    Raises:
        PipedreamError: the run failed; what was committed stays for the next one.
    """
    try:
        _write(run)
    except Exception as error:
        if not isinstance(error, _FAILURES) and not is_of_driver(error):
            raise
        failure = _expected(run, error)
    else:
        return
    raise failure


def _expected(run: Run, error: Exception) -> PipedreamError:
    """Turn an error of dlt or the destination into one of ours."""
    cause = root_cause(error)
    if isinstance(cause, PipedreamError):
        return cause
    if run.target.is_duckdb and (why := damage_told_by(error, run.target.database)):
        return PipedreamError(
            f"The database {printable(str(run.target.database), 500)} is damaged: "
            f"{run.said(why)}. It is left as it is, and what was polled is kept. {DAMAGE_ADVICE}"
        )
    step = f"{error.step} failed: " if isinstance(error, PipelineStepFailed) else ""
    text = run.said(step + reason_of(error))
    if is_refused(error):
        return PipedreamError(f"{text} {advice(run.target.folder)}")
    return ConfigurationError(text) if is_configuration(error) else PipedreamError(text)


def _write(run: Run) -> None:
    configure_dlt()
    run.target.remove_stillborn()
    limit = RetryLimit(run.options.lock_wait_s, lambda: bool(run.interrupt.number))
    progress = run.options.progress() if run.options.progress else None
    set_aside_damage(run.target)
    pipeline = open_pipeline(run.target, limit, progress=progress)
    run.report.notes += bring_back(run.target)
    with own_staging(pipeline, folder=run.target.folder) if run.target.is_shared else nullcontext():
        _write_to(pipeline, run, limit)
    if run.report.loaded:
        # Last, as it notes what nobody may have written to since: no staging is dropped after it.
        close_load(pipeline, run.target, run.report)
        _prune(pipeline)


def _write_to(pipeline: dlt.Pipeline, run: Run, limit: RetryLimit) -> None:
    mended = mend_destination(pipeline, run.target, run.report)
    waiting = waiting_packages(pipeline)
    if waiting:
        note_news(run.target)
    if _drain_before(pipeline, run):
        adopt_destination_state(pipeline, run.target, run.report, drained=waiting)
    yield_again(pipeline, mended)
    as_polled = run.target.fingerprint
    run.session.set_reread(streams_to_reread(run.target))
    _remove_leftovers(pipeline)
    if not run.target.exists:
        run.session.fill_new_destination()
        run.target.first_load.touch(mode=0o600)
    _keep_load_ids_rising(pipeline)
    pipeline.extract(_sources(run))
    note_reread(run.target, run.session.reread)
    if run.session.tally.has_news:
        note_news(run.target)
    if run.interrupt.number:
        run.report.notes.append("Stopped by a signal; what was polled is kept for the next run.")
        return
    if run.target.fingerprint != as_polled:
        # Polling takes a while, and the database was open to others meanwhile.
        yield_again(pipeline, mend_destination(pipeline, run.target, run.report))
    drain(pipeline, limit, run.target.first_load)
    run.report.loaded = True


def _drain_before(pipeline: dlt.Pipeline, run: Run) -> bool:
    """Load what earlier runs left; a destination that cannot be had now stops no poll."""
    try:
        if drain(pipeline, RetryLimit(0), run.target.first_load):
            run.report.notes.append("Loaded what an earlier run had left pending.")
    except DestinationUnavailable as error:
        run.report.notes.append(str(error))
        return False
    return True


def _keep_load_ids_rising(pipeline: dlt.Pipeline) -> None:
    """Let load ids rise although the clock went back: dlt takes the highest for the newest.

    It would load pending packages in the wrong order, and restore the state of an older load. Two
    machines whose clocks are behind a third one's must not count on from its last id alike.
    """
    known = [
        last_load_id(pipeline) or "0",
        *pipeline.list_extracted_load_packages(),
        *pipeline.list_normalized_load_packages(),
        *pipeline.list_completed_load_packages(),
    ]
    newest = max(map(float, known))
    if newest >= increasing_precise_time():
        set_load_clock(newest + random.uniform(0.0, 1.0))  # noqa: S311


def _sources(run: Run) -> list[DltSource]:
    if run.options.forget:
        return [forgetting(run.options.forget)]
    return [_source(run.session, run.options.only), _record_of(run)]


def _source(session: Session, only: str) -> DltSource:
    @dlt.source(name="pipedream", section="pipedream", max_table_nesting=0)
    def pipedream() -> list[DltResource]:
        return resources(session)

    source = pipedream()
    if only == "all":
        return source
    return source.with_resources(*(EVENT_RESOURCES if only == "events" else ENTITY_RESOURCES))


def _record_of(run: Run) -> DltSource:
    """Return a source that is extracted last and writes the run's row of `load_runs`."""

    def load_runs() -> Iterator[Any]:
        if _has_read_all(run):
            remember_objects(run.session.account.digest)
        yield items_of(LOAD_RUNS, [run.row()], run.session.load_id)

    @dlt.source(name="pipedream", section="pipedream", max_table_nesting=0)
    def record() -> DltResource:
        return dlt.resource(load_runs, name="load_runs")

    return record()


def _has_read_all(run: Run) -> bool:
    """Tell whether this extract read all objects, so that a look may go without some of them."""
    tally = run.session.tally
    complete = not (tally.errors or tally.skipped or run.interrupt.number)
    return complete and run.options.only != "events" and run.session.selection.discover


def _remove_leftovers(pipeline: dlt.Pipeline) -> None:
    """Remove what a killed extract left: it was never committed, and nothing else will."""
    for folder in (Path(pipeline.working_dir) / "normalize").glob("*"):
        if folder.is_dir() and folder.name not in ("extracted", "normalized", "new"):
            shutil.rmtree(folder, ignore_errors=True)


def _prune(pipeline: dlt.Pipeline) -> None:
    """Keep the last few completed packages only; a poll every 30 s would pile up thousands."""
    completed = Path(pipeline.working_dir) / "load" / "loaded"
    for load_id in sorted(pipeline.list_completed_load_packages())[:-_KEPT_PACKAGES]:
        shutil.rmtree(completed / load_id, ignore_errors=True)
