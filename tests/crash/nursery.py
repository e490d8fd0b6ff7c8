"""Runs the command in processes that start at once, and may be made to die at a named place."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.contract import KEY, Warehouse

ROOT = Path(__file__).resolve().parents[2]
KILLED = -signal.SIGKILL
LOAD = ("load", "--json", "--lock-wait", "0")


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit code, what it wrote, and its report if it printed one."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def told(self) -> str:
        """Everything that a user reads, on one line."""
        return " ".join(f"{self.out} {self.err}".split())


class Nursery:
    """Starts commands one after the other; their output goes to files beside the database."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # The command sets dlt's level before it imports dlt, which has been imported here.
            env={**os.environ, "PYTHONPATH": path, "RUNTIME__LOG_LEVEL": "CRITICAL"},
        )
        self._order: dict[str, Any] = {}

    def start(self, warehouse: Warehouse, *words: str, **environment: str) -> int:
        """Begin a command, `load` by default, and return its process id."""
        outside = warehouse.folder.parent / f"{warehouse.folder.name}-said"
        outside.mkdir(exist_ok=True)
        self._order = {
            "words": words or LOAD,
            "folder": str(warehouse.folder),
            "stdout": str(outside / "stdout"),
            "stderr": str(outside / "stderr"),
            "environment": {
                "PIPEDREAM_API_KEY": KEY,
                "PIPEDREAM_BASE_URL": warehouse.url,
                "PIPEDREAM_DATABASE": str(warehouse.database),
                **environment,
            },
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(self._order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> Ended:
        """Wait for the command."""
        code = self._answer()
        out, err = (Path(self._order[name]).read_text() for name in ("stdout", "stderr"))
        assert "Traceback" not in err, err
        assert KEY not in out + err
        return Ended(code, out, err)

    def run(self, warehouse: Warehouse, *words: str, **environment: str) -> Ended:
        self.start(warehouse, *words, **environment)
        return self.end()

    def _answer(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()
