"""`open`: hand the database over to DuckDB's own program, read-only."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.destinations.holding import held
from tests.integration.command import DATABASE, Command

# Stands for DuckDB's program, which is not there where tests run: says what it was given.
STAND_IN = """#!{python}
import json, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(json.dumps(sys.argv[1:]), flush=True)
time.sleep(60 if "-ui" in sys.argv else 0)
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with a `duckdb` in it."""
    program = tmp_path / "duckdb"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o700)
    return tmp_path


def test_the_shell_gets_the_database_read_only(stored: Command, programs: Path) -> None:
    done = stored.process("open", PATH=str(programs))
    assert done.returncode == 0, done.stderr
    database = str((stored.folder / DATABASE).resolve())
    assert json.loads(done.stdout) == ["-readonly", "-cmd", 'SET schema = "pipedream"', database]


def test_signals_go_to_the_shell(stored: Command, programs: Path) -> None:
    environment = stored.environment | {"PATH": str(programs)}
    with subprocess.Popen(
        stored.line("open", "--ui"), cwd=stored.folder, env=environment, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout
        assert "-ui" in json.loads(running.stdout.readline())
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 7


def test_what_is_missing_is_told(stored: Command, programs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    none = stored.run("open", PATH=str(tmp_path / "empty"), COLUMNS="300")
    assert (none.returncode, "https://duckdb.org/install" in none.stderr) == (2, True)
    there = {"PATH": str(programs), "COLUMNS": "300"}
    for words, said in (
        (["--database", "none.duckdb"], "does not exist"),
        (["--dataset", "other"], "no dataset"),
        (["--destination", "postgres"], "DuckDB files only"),
    ):
        done = stored.run("open", *words, **there)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    with held(stored.folder / DATABASE):
        assert stored.run("open", **there).returncode == 5
