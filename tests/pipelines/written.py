"""The schedules in `pipelines/schedules/` are what the command prints: `make schedules`."""

import sys
from pathlib import Path

from pipedream_source.cli.app import app
from pipedream_source.cli.schedules.schedulers import Scheduler

FOLDER = Path(__file__).resolve().parents[2] / "pipelines" / "schedules"
HOME = "/home/you/pipedream"


def words(scheduler: Scheduler) -> list[str]:
    """The words after `pipedream-source` that print a scheduler's example."""
    command = f"{HOME}/.venv/bin/pipedream-source"
    return [
        *("schedule", "--every", "15m", "--as", scheduler.value),
        *("--folder", HOME, "--command", command),
    ]


if __name__ == "__main__":
    for one in Scheduler:
        app([*words(one), "--output", str(FOLDER), "--force"], standalone_mode=False)
    sys.exit(0)
