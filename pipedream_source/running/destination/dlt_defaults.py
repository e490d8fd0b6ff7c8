"""What dlt is told by default, before it is imported."""

from __future__ import annotations

import os


def configure_dlt() -> None:
    """Set the defaults that a frequent, private run needs, where the user has not."""
    defaults = {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "LOAD__DELETE_COMPLETED_JOBS": "true",
        # Signals are ours: dlt's handler would raise in the midst of a commit.
        "RUNTIME__INTERCEPT_SIGNALS": "false",
        # Each item is a row group of its own: joined, large payloads would make one that takes
        # DuckDB half a gigabyte to read.
        "DATA_WRITER__BUFFER_MAX_ITEMS": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
