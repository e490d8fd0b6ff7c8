"""Forget an emitter in a destination's cursors, as a load package like any other."""

from __future__ import annotations

from datetime import UTC, datetime

from pipedream_source.exceptions import PipedreamError
from pipedream_source.resources.session.session import Session
from pipedream_source.running.context import LoadOptions, Run
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load.dlt_load import write_package
from pipedream_source.running.report import LoadReport
from pipedream_source.running.signals import caught_signals
from pipedream_source.settings import LOCK_WAIT_S


def forget(
    target: Target, session: Session, emitter_id: str, *, lock_wait_s: float = LOCK_WAIT_S
) -> LoadReport:
    """Ask an emitter no more, and end its certificate; what is loaded stays. No request is sent.

    Args:
        target: where its rows are.
        session: of which nothing is polled.
        emitter_id: a source or a workflow.
        lock_wait_s: seconds to wait for a destination that is locked or unreachable.

    Returns:
        The report; its `loaded` says whether the destination took it, or a later load will.

    Raises:
        Busy: another run is at work.
        PipedreamError: it was never polled, or the destination cannot be written.
    """
    target.check()
    if not target.exists:
        raise PipedreamError(f"{target.database} does not exist: there is nothing to forget")
    report = LoadReport(datetime.now(UTC), session.tally)
    options = LoadOptions(lock_wait_s=lock_wait_s, forget=emitter_id)
    stop = session.client.limiter.stop
    with caught_signals(stop) as interrupt, target.locked():
        write_package(Run(target, session, options, report, interrupt))
    return report
