"""One run: lock, restore, drain, extract, load, record.

Everything works as well for who calls `pipeline.run(pipedream_source())` by hand; this loop adds
what `run` lacks: it never skips a poll, never loses a pending package, and polls on while the
database is locked.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.runtime.collector import NULL_COLLECTOR
from dlt.destinations.exceptions import DatabaseException
from dlt.extract import DltResource, DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import (
    ConfigurationError,
    DestinationUnavailable,
    PipedreamError,
)
from pipedream_source.resources.session import Session
from pipedream_source.resources.tables import LOAD_RUNS
from pipedream_source.running.drain import drain
from pipedream_source.running.lock import hold_lock
from pipedream_source.running.patience import Patience, is_configuration, root_cause
from pipedream_source.running.report import LoadReport
from pipedream_source.running.restore import adopt_destination_state, open_pipeline
from pipedream_source.running.signals import Interrupt, caught_signals
from pipedream_source.running.target import Target
from pipedream_source.settings import LOCK_WAIT_S, VERSION
from pipedream_source.source import ENTITY_RESOURCES, EVENT_RESOURCES, resources

_KEPT_PACKAGES = 5


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to run.

    Attributes:
        only: `events`, `entities` or `all`.
        lock_wait_s: seconds to wait for a destination that is locked or unreachable.
        fail_on_loss: whether new gaps make the run fail.
        progress: a dlt collector.
    """

    only: str = "all"
    lock_wait_s: float = LOCK_WAIT_S
    fail_on_loss: bool = False
    progress: Any = NULL_COLLECTOR


def run_load(target: Target, session: Session, options: LoadOptions | None = None) -> LoadReport:
    """Poll everything the session selects and load it into the target.

    Args:
        target: where the rows go.
        session: what to poll; its tally is filled.
        options: how to run.

    Returns:
        The report; its `exit_code` and `error` say how the run ended. Expected failures are
        reported, not raised.
    """
    options = options or LoadOptions()
    started = time.monotonic()
    report = LoadReport(datetime.now(UTC), session.tally, fail_on_loss=options.fail_on_loss)
    with caught_signals(session.client.limiter.stop) as interrupt:
        _run_reported(target, session, options, report, interrupt)
    report.signal = interrupt.number
    report.seconds = time.monotonic() - started
    report.requests = session.client.transport.requests
    report.nbytes = session.client.transport.nbytes
    report.retries = session.client.limiter.retries
    return report


def _run_reported(
    target: Target,
    session: Session,
    options: LoadOptions,
    report: LoadReport,
    interrupt: Interrupt,
) -> None:
    try:
        target.check()
        # A wrong key must fail before anything is created.
        session.check_key()
        with hold_lock(target.folder / "lock"):
            _run(target, session, options, report, interrupt)
    except PipedreamError as error:
        report.error = error
    except (PipelineStepFailed, DatabaseException, ConfigurationException, OSError) as error:
        report.error = _expected(session, error)


def _expected(session: Session, error: Exception) -> PipedreamError:
    """Turn an error of dlt, the destination or the file system into one of ours."""
    cause = root_cause(error)
    if isinstance(cause, PipedreamError):
        return cause
    step = f"{error.step} failed: " if isinstance(error, PipelineStepFailed) else ""
    said = printable(str(cause) or type(cause).__name__, 500)
    text = session.client.redact(step + said, cut=True)
    return ConfigurationError(text) if is_configuration(error) else PipedreamError(text)


def _run(
    target: Target,
    session: Session,
    options: LoadOptions,
    report: LoadReport,
    interrupt: Interrupt,
) -> None:
    configure_dlt()
    target.remove_stillborn()
    patience = Patience(options.lock_wait_s, lambda: bool(interrupt.number))
    pipeline = open_pipeline(target, patience, progress=options.progress)
    if _drain_before(pipeline, report):
        note = adopt_destination_state(pipeline, target)
        report.notes += [note] if note else []
    _remove_leftovers(pipeline)
    pipeline.extract([_source(session, options.only), _record_of(session, report)])
    if interrupt.number:
        report.notes.append("Stopped by a signal; what was polled is kept for the next run.")
        return
    drain(pipeline, patience)
    report.loaded = True
    target.remember()
    _prune(pipeline)


def _drain_before(pipeline: dlt.Pipeline, report: LoadReport) -> bool:
    """Load what earlier runs left; a destination that cannot be had now stops no poll."""
    try:
        if drain(pipeline, Patience(0)):
            report.notes.append("Loaded what an earlier run had left pending.")
    except DestinationUnavailable as error:
        report.notes.append(str(error))
        return False
    return True


def _source(session: Session, only: str) -> DltSource:
    @dlt.source(name="pipedream", section="pipedream", max_table_nesting=0)
    def pipedream() -> list[DltResource]:
        return resources(session)

    source = pipedream()
    if only == "all":
        return source
    return source.with_resources(*(EVENT_RESOURCES if only == "events" else ENTITY_RESOURCES))


def _record_of(session: Session, report: LoadReport) -> DltSource:
    """Return a source that is extracted last and writes the run's row of `load_runs`."""

    def load_runs() -> Iterator[Any]:
        transport, tally, lost = session.client.transport, session.tally, report.lost
        yield LOAD_RUNS.rows(
            [
                {
                    "run_id": uuid.uuid4().hex,
                    "started_at": report.started_at,
                    "finished_at": datetime.now(UTC),
                    "streams_polled": tally.polled,
                    "streams_failed": tally.failed,
                    "streams_skipped": tally.skipped,
                    "events_new": session.events_new,
                    "gaps": len(tally.gaps),
                    "lost_min": lost["min"],
                    "lost_likely": lost["likely"],
                    "lost_max": lost["max"],
                    "requests": transport.requests,
                    "bytes": transport.nbytes,
                    "retries": session.client.limiter.retries,
                    "version": VERSION,
                }
            ],
            session.load_id,
        )

    @dlt.source(name="pipedream", section="pipedream", max_table_nesting=0)
    def record() -> DltResource:
        return dlt.resource(load_runs, name="load_runs")

    return record()


def configure_dlt() -> None:
    """Set the defaults that a frequent, private run needs, where the user has not."""
    defaults = {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "LOAD__DELETE_COMPLETED_JOBS": "true",
        # Signals are ours: dlt's handler would raise in the midst of a commit.
        "RUNTIME__INTERCEPT_SIGNALS": "false",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def _remove_leftovers(pipeline: dlt.Pipeline) -> None:
    """Remove what a killed extract left: it was never committed, and nothing else will."""
    for folder in (Path(pipeline.working_dir) / "normalize").glob("*"):
        if folder.is_dir() and folder.name not in ("extracted", "normalized", "new"):
            shutil.rmtree(folder, ignore_errors=True)


def _prune(pipeline: dlt.Pipeline) -> None:
    """Keep the last few completed packages only; a poll every 30 s would pile up thousands."""
    completed = sorted(pipeline.list_completed_load_packages())
    for load_id in completed[:-_KEPT_PACKAGES]:
        shutil.rmtree(pipeline.get_load_package_info(load_id).package_path, ignore_errors=True)
