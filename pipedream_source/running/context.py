"""What belongs to one run, and the row that records it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import PipedreamError
from pipedream_source.resources.session.session import Session
from pipedream_source.running.destination.target import Target
from pipedream_source.running.report import LoadReport
from pipedream_source.running.signals import Interrupt
from pipedream_source.settings import LOCK_WAIT_S, VERSION


@dataclass(frozen=True, slots=True)
class Afterwards:
    """A command that follows a load.

    Attributes:
        words: the command and its arguments; no shell reads them.
        to_stderr: whether what it writes to stdout goes to stderr.
        before: called before it starts, such as to end a display of progress.
        only_if_new: whether it is left out if nothing new was loaded since it last succeeded.
    """

    words: tuple[str, ...]
    to_stderr: bool = False
    before: Callable[[], object] = lambda: None
    only_if_new: bool = False

    @property
    def digest(self) -> str:
        """What tells this command from another; the command itself may hold what is private."""
        return hashlib.sha256("\0".join(self.words).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to run.

    Attributes:
        only: `events`, `entities` or `all`.
        lock_wait_s: seconds to wait for a destination that is locked or unreachable.
        fail_on_loss: whether new gaps make the run fail.
        progress: makes a dlt collector, when dlt gets to work; None for no progress.
        then: what follows a load under the same lock; None for nothing.
        compact: whether the database is compacted at the end where much of it is free.
        forget: poll nothing, and forget this emitter instead; empty for a load.
    """

    only: str = "all"
    lock_wait_s: float = LOCK_WAIT_S
    fail_on_loss: bool = False
    progress: Callable[[], Any] | None = None
    then: Afterwards | None = None
    compact: bool = True
    forget: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what to poll, where to, how, and what it came to so far."""

    target: Target
    session: Session
    options: LoadOptions
    report: LoadReport
    interrupt: Interrupt

    def said(self, text: str) -> str:
        """Make an error's text fit for a message: printable, short, without the key."""
        return self.session.client.redact(printable(text, 500), cut=True)

    def expected(self, error: Exception) -> PipedreamError:
        """Turn an error of the file system into one of ours."""
        if isinstance(error, PipedreamError):
            return error
        return PipedreamError(self.said(str(error) or type(error).__name__))

    def row(self) -> dict[str, Any]:
        """Return the run's row of `load_runs`, as polling ends."""
        transport, tally, lost = self.session.client.transport, self.session.tally, self.report.lost
        return {
            "run_id": uuid.uuid4().hex,
            "started_at": self.report.started_at,
            "finished_at": datetime.now(UTC),
            "streams_polled": tally.polled,
            "streams_failed": tally.failed,
            "streams_skipped": tally.skipped,
            "events_new": self.session.tally.events_new,
            "gaps": len(tally.gaps),
            "lost_min": lost.least,
            "lost_likely": lost.likely,
            "lost_max": lost.most,
            "requests": transport.requests,
            "bytes": transport.nbytes,
            "retries": self.session.client.limiter.retries,
            "version": VERSION,
        }
