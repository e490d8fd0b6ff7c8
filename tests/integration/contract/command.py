"""The command, run as a user runs it: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.contract.server import KEY
from tests.integration.contract.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[3]


class Command:
    """Runs `pipedream-source` against a warehouse's server and database."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._cwd = warehouse.folder
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PIPEDREAM_API_KEY": KEY,
            "PIPEDREAM_BASE_URL": warehouse.url,
            "PIPEDREAM_DATABASE": str(warehouse.database),
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pipedream_source.cli.app", *words],
            cwd=self._cwd,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)
