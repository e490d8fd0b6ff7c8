"""What a load changes of dlt's internals, as read in dlt 1.31.0."""

from __future__ import annotations

from dlt.common.time import increasing_precise_time


def set_load_clock(seconds: float) -> None:
    """Let the next load id be above a time.

    Args:
        seconds: Unix time; a lower one than of the last id would repeat ids.
    """
    increasing_precise_time._last = seconds
