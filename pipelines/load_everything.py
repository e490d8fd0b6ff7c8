"""Load everything into DuckDB: copy, edit, and run it on a schedule.

Needs PIPEDREAM_API_KEY. `pipedream-source load` does the same and more: it locks, polls while the
database is locked, and never skips a poll because of a package that is still pending.
"""

from __future__ import annotations

import sys

import dlt

from pipedream_source import duckdb_file, load_pending, pipedream_source

DATABASE = "pipedream_events.duckdb"


def main() -> None:
    """Load once, then say what was lost since the first load."""
    pipeline = dlt.pipeline(
        "pipedream_events",
        destination=duckdb_file(DATABASE),
        dataset_name="pipedream",
    )
    # What an interrupted run left comes first, repaired: `run` alone would load it and not poll.
    load_pending(pipeline)
    pipeline.run(pipedream_source())
    gaps = pipeline.dataset().event_gaps.fetchall()
    sys.stdout.write(f"{len(gaps)} gaps so far\n")


if __name__ == "__main__":
    main()
