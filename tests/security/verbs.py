"""Runs verbs of the command, all in one process of their own, in a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.contract import KEY

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("every_verb.py")

#: The words after `pipedream-source`, and what is to fail meanwhile.
Step = tuple[list[str], str | None]


class Verbs:
    """Runs verbs in a folder that is also the home; what they say is kept beside it.

    Attributes:
        folder: where they run.
        said: where their output goes.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.said = folder / "said"
        self.said.mkdir(parents=True)

    def run(self, *steps: Step, **environment: str) -> list[int]:
        """Run the steps and return their exit codes."""
        kept = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TMPDIR": str(self.folder)}
        kept |= {"HOME": str(self.folder), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        kept |= {"PIPEDREAM_API_KEY": KEY, "PIPEDREAM_BASE_URL": self.url}
        done = subprocess.run(
            [sys.executable, str(PROGRAM), str(self.said), json.dumps(steps)],
            cwd=self.folder,
            env=kept | environment,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert KEY not in done.stdout + done.stderr
        assert done.returncode == 0, done.stderr
        codes: list[int] = json.loads(done.stdout)
        return codes

    def output(self, name: str) -> str:
        """Return what a verb wrote so far, e.g. `load--vv.err`."""
        return (self.said / name).read_text("utf-8", "surrogateescape")
