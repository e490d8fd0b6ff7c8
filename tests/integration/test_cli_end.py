"""How the command's own process ends: at once, and yet with all that a normal end would do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.command import ROOT

# Python frees what it imported at its end; this would tell of it.
PROGRAM = """
import atexit, sys
from unittest import mock
from pipedream_source.cli import app

class Import:
    def __del__(self):
        print("freed")

sys.modules["kept"] = kept = Import()
atexit.register(print, "cleaned up")
def main():
    print("done")
    raise SystemExit({code!r})
with mock.patch.object(app, "main", main):
    app.start()
"""


def ended(code: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(code=code)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(("code", "status"), [(None, 0), (0, 0), (4, 4)])
def test_what_was_written_is_there_and_nothing_is_freed(code: int | None, status: int) -> None:
    done = ended(code, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr) == (status, "done\ncleaned up\n", "")


def test_a_text_for_a_code_is_told() -> None:
    done = ended("no such thing", stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, "no such thing\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = ended(0, stdout=full)
    assert done.returncode != 0
    assert "No space left" in done.stderr


@pytest.mark.parametrize(("closed", "seen"), [(">&-", "err"), ("2>&-", "out")])
def test_output_that_was_closed_fails_nothing(closed: str, seen: str) -> None:
    command = f"{sys.executable} -m pipedream_source.cli.app"
    done = subprocess.run(
        ["bash", "-c", f"{command} --version {closed} && {command} nonsense {closed}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = {"out": "pipedream-source ", "err": "No such command"}[seen]
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
