"""What a run came to: counts for its summary, for machines, and for its exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipedream_source.core.completeness.loss_sum import LossSum
from pipedream_source.exceptions import PipedreamError
from pipedream_source.resources.session.tally import Tally
from pipedream_source.running.exit_codes import (
    FAILED,
    KEPT,
    LOST,
    OK,
    SIGNALED,
    SOME_FAILED,
    exit_code_of,
)


@dataclass(slots=True)
class LoadReport:
    """The outcome of one run of `load`.

    Attributes:
        tally: counts of polling.
        error: what ended the run, if anything did.
        signal: number of the signal that ended polling; 0 for none.
        fail_on_loss: whether new gaps make the run fail.
        loaded: rows reached the destination.
        seconds, requests, nbytes, retries: the cost of the run.
        notes: what else the user should know.
        rows_gone: rows that earlier loads had stored and that somebody took out, by table.
        compacted: bytes of the database before and after it was compacted; None if it was not.
    """

    started_at: datetime
    tally: Tally = field(default_factory=Tally)
    error: PipedreamError | None = None
    signal: int = 0
    fail_on_loss: bool = False
    loaded: bool = False
    seconds: float = 0.0
    requests: int = 0
    nbytes: int = 0
    retries: int = 0
    notes: list[str] = field(default_factory=list)
    rows_gone: dict[str, int] = field(default_factory=dict)
    compacted: tuple[int, int] | None = None

    @property
    def exit_code(self) -> int:
        """The exit code: signal > 75 > 2 > 1 > 5 > 4 > 3 > 0."""
        if self.signal:
            return SIGNALED + self.signal
        error = self.error or self.tally.fatal
        if error is not None:
            code = exit_code_of(error)
            return FAILED if code == KEPT and self._none_readable else code
        if self._none_readable:
            return FAILED
        if self.fail_on_loss and (self.tally.gaps or self.rows_gone):
            return LOST
        return SOME_FAILED if self.tally.errors or self.tally.skipped else OK

    def tell_gone(self, rows: dict[str, int]) -> None:
        """Note stored rows that somebody took out of the destination, by table."""
        news = {table: count for table, count in rows.items() if self.rows_gone.get(table) != count}
        self.rows_gone |= news
        self.notes += [
            f"{count:,} rows that were loaded are gone from {table}: what the API still shows is "
            "read again, older ones are lost."
            for table, count in sorted(news.items())
        ]

    @property
    def _none_readable(self) -> bool:
        return self.tally.polled == 0 and self.tally.failed + self.tally.skipped > 0

    @property
    def lost(self) -> LossSum:
        """What the new gaps lost together."""
        return LossSum.of_gaps(self.tally.gaps)

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as one JSON-ready object."""
        tally = self.tally
        return {
            "exit_code": self.exit_code,
            "error": str(self.error or tally.fatal) if self.error or tally.fatal else None,
            "loaded": self.loaded,
            "streams": {
                "polled": tally.polled,
                "failed": tally.failed,
                "skipped": tally.skipped,
                "deferred": tally.deferred,
                "ended": tally.ended,
            },
            "rows": dict(sorted(tally.rows.items())),
            "gaps": [_jsonable(gap) for gap in tally.gaps],
            "lost": self.lost.as_dict(),
            "rows_gone": dict(sorted(self.rows_gone.items())),
            "failures": dict(sorted(tally.errors.items())),
            "warnings": tally.warnings + self.notes,
            "seconds": round(self.seconds, 3),
            "requests": self.requests,
            "bytes": self.nbytes,
            "retries": self.retries,
            "compacted": self.compacted
            and {"bytes_before": self.compacted[0], "bytes_after": self.compacted[1]},
        }


def _jsonable(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
