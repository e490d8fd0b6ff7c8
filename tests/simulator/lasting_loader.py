"""A process that lives as long as it is let, as a scheduler's would, and loads again and again."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipedream_source import PipedreamClient
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.context import LoadOptions
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load.load_run import run_load
from pipedream_source.sandbox import Sandbox

KILLED = -9


class Loader:
    """Starts the process, gives it orders, kills it, and starts another.

    Args:
        sandbox: what it loads from.
        database: what it loads into.
    """

    def __init__(self, sandbox: Sandbox, database: Path) -> None:
        self._order = {"url": sandbox.url, "key": sandbox.api_key, "database": str(database)}
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.simulator.lasting_loader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def load(self, kill_after_s: float, workflows: list[str]) -> dict[str, Any]:
        """Let it load once; it is killed if it takes longer than that (0: never)."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the process has no pipes")
        stdin.write(json.dumps({**self._order, "workflows": workflows}) + "\n")
        stdin.flush()
        if kill_after_s and not select.select([stdout], [], [], kill_after_s)[0]:
            self._process.kill()
            self._process.communicate()
            self._process = self._start()
            return {"exit_code": KILLED}
        line = stdout.readline()
        if not line:
            raise AssertionError(f"the load's process ended with {self._process.wait()}")
        report: dict[str, Any] = json.loads(line)
        return report

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


def load(order: dict[str, Any]) -> dict[str, Any]:
    """Load, and tell what the process is like afterwards."""
    target = Target(database=Path(order["database"]))
    with PipedreamClient(order["key"], base_url=order["url"]) as client:
        session = open_session(client, workflow_ids=order["workflows"])
        report = run_load(target, session, LoadOptions(lock_wait_s=5)).as_dict()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    report["rss"] = pages * os.sysconf("SC_PAGE_SIZE")
    report["open_files"] = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return report


def main() -> None:
    """Carry out orders until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(load(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
