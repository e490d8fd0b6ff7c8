"""The dbt project on a database: runs dbt on it, and reads what it made."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dbt"
# One name for all files, as it becomes part of each relation's, which dbt parses once.
DATABASE = "events.duckdb"


@dataclass
class Dbt:
    """A running dbt.

    Attributes:
        scratch: where it writes its files.
        environment: variables for all its runs, such as those of a server.
    """

    process: subprocess.Popen[str]
    scratch: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, database: Path | None = None) -> list[dict[str, str]]:
        """Run a command to its end and return its results; a failure is told with all messages."""
        answer = self.ask(*arguments, database=database)
        wrong = [found for found in answer["results"] if found["status"] not in OK]
        assert answer["success"], "\n".join([answer["error"], *map(str, wrong)])
        results: list[dict[str, str]] = answer["results"]
        return results

    def ask(self, *arguments: str, database: Path | None = None) -> dict[str, Any]:
        """Run a command to its end and return its answer, whatever that is."""
        folder = str(FOLDER)
        order = {
            "arguments": arguments,
            "common": [
                *("--project-dir", folder, "--profiles-dir", folder, "--quiet"),
                *("--target-path", str(self.scratch), "--log-path", str(self.scratch)),
            ],
            "environment": {**self.environment, "PIPEDREAM_DATABASE": str(database or "")},
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"dbt ended with {self.process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer


OK = ("success", "pass", "no-op")  # an exposure does nothing


@contextmanager
def running_dbt(scratch: Path, environment: Mapping[str, str] | None = None) -> Iterator[Dbt]:
    """Start dbt, and end it with the block."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    kept |= {
        "PYTHONPATH": str(ROOT),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_NO_COLOR": "1",
        # Whoever builds may live where days have 23 and 25 hours; no figure depends on it.
        "TZ": "America/New_York",
    }
    command = [sys.executable, "-m", "tests.dbt.runner"]
    with (scratch / "dbt.err").open("w") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=kept,
            text=True,
        )
    with process:
        yield Dbt(process, scratch, environment or {})
        assert process.stdin is not None
        process.stdin.close()


def frame(database: Path, query: str) -> pd.DataFrame:
    """Return a query's rows; marts and staging are found without their schema."""
    reading = duckdb.connect(str(database), read_only=True)
    with reading as connection, warnings.catch_warnings():
        # DuckDB calls pandas in a way that pandas 4 will not know.
        warnings.simplefilter("ignore", DeprecationWarning)
        connection.execute("SET search_path = 'analytics,analytics_staging'; SET TimeZone = 'UTC'")
        return connection.sql(query).df()
