"""What a script calls before `pipeline.run`: the repair that the command does by itself."""

from __future__ import annotations

from pathlib import Path

import dlt

from pipedream_source.running.destination.retry import RetryLimit
from pipedream_source.running.packages.drain import drain
from pipedream_source.settings import LOCK_WAIT_S


def load_pending(pipeline: dlt.Pipeline, *, wait_s: float = LOCK_WAIT_S) -> bool:
    """Load what an interrupted run left in the working folder, each row once.

    Call it before `pipeline.run(pipedream_source())`. By itself `run` loads a pending package and
    skips the poll, doubles rows whose load was killed, and fails for good on a package that was
    killed while it was normalized ("Directory not empty").

    Args:
        pipeline: no other process may use its working folder.
        wait_s: seconds to wait for a destination that is locked or unreachable.

    Returns:
        Whether anything was pending.

    Raises:
        DestinationUnavailable: the destination could not be had in time; the packages stay.
        PipelineStepFailed: loading failed for another reason; the packages stay.
    """
    # Only the command's own first loads append, and note it.
    no_note = Path(pipeline.working_dir) / "first-load"
    return drain(pipeline, RetryLimit(wait_s), no_note)
