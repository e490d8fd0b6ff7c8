"""One run: lock, look, restore, drain, extract, load, record, what is to follow, compact.

Everything works as well for who calls `pipeline.run(pipedream_source())` by hand; this loop adds
what `run` lacks: it never skips a poll, never loses a pending package, and polls on while the
database is locked.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pipedream_source.exceptions import PipedreamError
from pipedream_source.resources.session.session import Session
from pipedream_source.running.context import LoadOptions, Run
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load.afterwards import run_afterwards
from pipedream_source.running.load.quiet_run import found_nothing_new
from pipedream_source.running.maintenance.auto_compact import compact_if_free
from pipedream_source.running.report import LoadReport
from pipedream_source.running.signals import caught_signals


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
        _run_reported(Run(target, session, options, report, interrupt))
    report.signal = interrupt.number
    report.seconds = time.monotonic() - started
    report.requests = session.client.transport.requests
    report.nbytes = session.client.transport.nbytes
    report.retries = session.client.limiter.retries
    return report


def _run_reported(run: Run) -> None:
    try:
        run.target.check()
        _check_key(run)
        with run.target.locked():
            if not found_nothing_new(run):
                _write(run)
            run_afterwards(run)
            compact_if_free(run)
    except (PipedreamError, OSError) as error:
        run.report.error = run.expected(error)


def _check_key(run: Run) -> None:
    """Ask who the key belongs to: a wrong one must fail before anything is created.

    Raises:
        PipedreamError: the key is wrong, or the API names no stream to fill a new database with.
    """
    run.session.account.check_key()
    if run.session.account.owner_error is not None and not run.target.exists:
        run.session.account.take_inventory({})
        run.session.account.refuse_to_poll_nothing()


def _write(run: Run) -> None:
    # dlt takes a second to import, which a run that finds nothing new does without.
    from pipedream_source.running.load.dlt_load import write_package

    write_package(run)
