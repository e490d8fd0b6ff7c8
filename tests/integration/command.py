"""Runs the real command as a user would, in a folder of its own, against a sandbox on a port."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipedream_source.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "pipedream_events.duckdb"


@dataclass
class Command:
    """The command in a folder.

    Attributes:
        folder: where it runs; also its home.
        sandbox: whose key and address it gets through the environment.
    """

    folder: Path
    sandbox: Sandbox | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        kept |= {"HOME": str(self.folder), "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        kept |= {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        if self.sandbox is not None:
            kept["PIPEDREAM_API_KEY"] = self.sandbox.api_key
            kept["PIPEDREAM_BASE_URL"] = self.sandbox.url
        return kept

    @staticmethod
    def line(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "pipedream_source.cli.app", *arguments]

    def run(self, *arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        """Run it to its end; a variable that is None is taken out of the environment."""
        merged = {**self.environment, **environment}
        return subprocess.run(
            self.line(*arguments),
            cwd=self.folder,
            env={name: value for name, value in merged.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it and return at once."""
        return subprocess.Popen(
            self.line(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run it with `--json` and return the one object it wrote."""
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def id_of(sandbox: Sandbox, name: str) -> str:
    """Return the id of the emitter of this name."""
    (found,) = [e["id"] for e in sandbox.state()["emitters"] if e["name"] == name]
    return str(found)
