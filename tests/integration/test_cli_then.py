"""`pipedream-source load --then COMMAND`: what follows a load, while it still holds the lock."""

import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, Command

# Writes down what it finds, and into the database, as dbt would.
SCRIPT = """
import duckdb, fcntl, json, os, pathlib, sys
lock = open(os.environ["PIPEDREAM_DATABASE"] + ".dlt/lock")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    held = False
except BlockingIOError:
    held = True
with duckdb.connect(os.environ["PIPEDREAM_DATABASE"]) as database:
    database.execute("CREATE OR REPLACE TABLE runs AS FROM pipedream.load_runs")
found = {"held": held, "environment": dict(os.environ), "arguments": sys.argv[1:]}
pathlib.Path("found.json").write_text(json.dumps(found))
print("it ran")
sys.exit(int(sys.argv[1]))
"""
WAITS = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("stopped").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("waiting").touch()
time.sleep(60)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def command(tmp_path: Path, sandbox: Sandbox) -> Command:
    sandbox.reset()
    sandbox.control("DELETE", "journal")
    (tmp_path / "then.py").write_text(SCRIPT)
    (tmp_path / "waits.py").write_text(WAITS)
    return Command(tmp_path, sandbox)


def python(*arguments: str) -> str:
    return shlex.join([sys.executable, *arguments])


def test_it_runs_under_the_lock_with_the_place_and_without_the_key(
    command: Command, sandbox: Sandbox
) -> None:
    secret = {"MY_COPY": f"x{sandbox.api_key}", "SOURCES__PIPEDREAM__CLIENT_SECRET": "s-4711"}
    done = command.process("load", "--json", "--then", python("then.py", "0", "a b"), **secret)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["exit_code"] == 0
    assert "it ran" in done.stderr
    found = json.loads((command.folder / "found.json").read_text())
    assert (found["held"], found["arguments"]) == (True, ["0", "a b"])
    environment = found["environment"]
    assert environment["PIPEDREAM_DATABASE"] == str(command.folder / DATABASE)
    assert environment["PIPEDREAM_DATASET"] == "pipedream"
    assert environment["HOME"] == str(command.folder)
    assert sandbox.api_key not in json.dumps(found)
    assert "s-4711" not in json.dumps(found)


def test_without_json_its_output_stays_on_stdout(command: Command) -> None:
    assert command.run("load").returncode == 0
    done = command.process("load", "--then", python("then.py", "0"))
    assert (done.returncode, "it ran" in done.stdout) == (0, True), done.stderr
    assert "Nothing new" in done.stdout


def test_one_that_fails_fails_the_run_and_keeps_what_was_loaded(command: Command) -> None:
    done = command.run("load", "--json", "--then", python("then.py", "7"))
    report = json.loads(done.stdout)
    assert (done.returncode, report["exit_code"], report["loaded"]) == (1, 1, True)
    assert report["rows"]["workflow_errors"] > 0
    assert "then.py 7' ended with exit code 7" in report["error"]
    assert "then.py 7' ended with exit code 7" in done.stderr
    (command.folder / "found.json").unlink()
    assert command.run("load").returncode == 0
    assert not (command.folder / "found.json").exists()


def test_it_does_not_follow_a_load_that_failed(command: Command, sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"path": "/v1/*/event_summaries", "status": 404})
    sandbox.control("POST", "faults", {"path": "/v1/*/*/event_summaries", "status": 404})
    done = command.run("load", "--then", python("then.py", "0"))
    sandbox.control("DELETE", "faults")
    assert done.returncode == 1, done.stdout
    done = command.run("load", "--then", python("then.py", "0"), PIPEDREAM_API_KEY="wrong-key-1")
    assert done.returncode == 2
    assert not (command.folder / "found.json").exists()


def test_it_follows_a_load_of_which_some_failed(command: Command, sandbox: Sandbox) -> None:
    order = {"path": "/v1/sources/*/event_summaries", "status": 404, "count": 1}
    sandbox.control("POST", "faults", order)
    done = command.run("load", "--then", python("then.py", "0"))
    sandbox.control("DELETE", "faults")
    assert done.returncode == 3, done.stdout
    assert (command.folder / "found.json").exists()


def ran(command: Command, *arguments: str, code: int = 0, exit_code: str = "0") -> bool:
    """Load, with the command that is to follow only news; returns whether it ran."""
    found = command.folder / "found.json"
    found.unlink(missing_ok=True)
    then = python("then.py", exit_code)
    done = command.run("load", "--then", then, "--then-if-new", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return found.exists()


def test_if_new_it_follows_news_alone(command: Command, sandbox: Sandbox) -> None:
    """Events, gaps and changed objects are news; times of polls and what was used are not."""
    emitter = sandbox.state()["emitters"][0]["id"]
    assert ran(command)
    # It wrote to the database, so this one goes the way of a load package; the next one does not.
    assert not ran(command)
    assert not ran(command)
    sandbox.emit(emitter)
    assert ran(command)
    sandbox.emit(emitter)
    assert ran(command, "--only", "events")
    assert not ran(command, "--only", "entities")
    sandbox.add_emitters(1)
    assert ran(command)
    assert not ran(command)


def test_news_that_it_did_not_follow_stays_news(command: Command, sandbox: Sandbox) -> None:
    emitter = sandbox.state()["emitters"][0]["id"]
    assert command.run("load").returncode == 0
    # Another command never followed them.
    assert ran(command, exit_code="7", code=1)
    assert ran(command, exit_code="7", code=1)
    assert ran(command)
    assert not ran(command)
    sandbox.emit(emitter)
    assert command.run("load").returncode == 0
    assert ran(command)
    assert not ran(command)
    assert command.run("load", "--then", python("then.py", "0", "other")).returncode == 0
    assert ran(command)


def test_news_that_a_load_left_pending_is_followed(command: Command, sandbox: Sandbox) -> None:
    emitter = sandbox.state()["emitters"][0]["id"]
    assert ran(command)
    assert not ran(command)
    sandbox.emit(emitter)
    database = command.folder / DATABASE
    with duckdb.connect(str(database)):
        done = command.process("load", "--lock-wait", "0")
    assert done.returncode == 5, done.stdout + done.stderr
    assert ran(command)
    assert not ran(command)


def test_if_new_alone_is_refused(command: Command, sandbox: Sandbox) -> None:
    done = command.run("load", "--then-if-new")
    assert (done.returncode, "there is no --then" in done.stderr) == (2, True), done.stderr
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("no-such-command build", "there is no command 'no-such-command'"),
        ("", "there is no command ''"),
        ("dbt 'build", "cannot be read (No closing quotation)"),
    ],
)
def test_one_that_cannot_be_run_is_refused_first(
    given: str, said: str, command: Command, sandbox: Sandbox
) -> None:
    done = command.run("load", "--then", given)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert sandbox.journal() == []
    assert not (command.folder / DATABASE).exists()


def test_a_signal_reaches_it(command: Command) -> None:
    running = command.start("load", "--then", python("waits.py"))
    deadline = time.monotonic() + 60
    while not (command.folder / "waiting").exists():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 143, err
    assert (command.folder / "stopped").exists()
    assert "the signal ended --then" in out + err
