"""Keep every row for ever, but payloads for 30 days: older ones move to Parquet files.

Needs PIPEDREAM_API_KEY. Runs the command, which holds its lock in both steps. Ids, times, gaps and
counts stay in the database; a payload goes only once it is in the archive.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.executable).with_name("pipedream-source")
DATABASE = "pipedream_events.duckdb"
KEEP = "30d"
ARCHIVE = "archive"

SOME_FAILED, LOST, BUSY = 3, 4, 75  # the load is done; or another one is at work


def run(*words: str) -> int:
    """Run a verb of the command and return its exit code."""
    return subprocess.run([COMMAND, *words, "--database", DATABASE], check=False).returncode


def main() -> int:
    """Load, then prune what is old enough; returns the first exit code that is none of success."""
    loaded = run("load", "--quiet")
    if loaded not in (0, SOME_FAILED, LOST):
        return 0 if loaded == BUSY else loaded
    pruned = run("prune", "--payloads-older-than", KEEP, "--archive", ARCHIVE, "--yes")
    return pruned or loaded


if __name__ == "__main__":
    sys.exit(main())
