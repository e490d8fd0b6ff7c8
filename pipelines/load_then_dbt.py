"""Load everything into DuckDB, then build the dbt project on it.

Needs PIPEDREAM_API_KEY and dbt (`pip install dbt-duckdb`). The command does the same under the lock
of the load, so that nobody else writes meanwhile, and only where something new was loaded:
`pipedream-source load --then "dbt build --project-dir dbt --profiles-dir dbt" --then-if-new`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dlt

from pipedream_source import duckdb_file, load_pending, pipedream_source

DATABASE = "pipedream_events.duckdb"
PROJECT = "dbt"  # the folder with dbt_project.yml and profiles.yml
DBT = Path(sys.executable).with_name("dbt")


def main() -> int:
    """Load once, then build; returns dbt's exit code, as what was loaded stays in any case."""
    pipeline = dlt.pipeline(
        "pipedream_events",
        destination=duckdb_file(DATABASE),
        dataset_name="pipedream",
    )
    # What an interrupted run left comes first, repaired: `run` alone would load it and not poll.
    load_pending(pipeline)
    pipeline.run(pipedream_source())
    done = subprocess.run(
        [DBT, "build", "--project-dir", PROJECT, "--profiles-dir", PROJECT],
        # The project's profile finds the database by this name.
        env=os.environ | {"PIPEDREAM_DATABASE": str(Path(DATABASE).resolve())},
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
