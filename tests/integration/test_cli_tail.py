"""`events tail`: the newest events, then each new one once, from the database or the API."""

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.cli.manage.tail import LiveFeed, StoredFeed
from pipedream_source.sandbox.server import Sandbox
from tests.destinations.holding import held
from tests.integration.command import DATABASE, Command, id_of
from tests.integration.invoking import on_terminal

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def command(tmp_path: Path, sandbox: Sandbox) -> Command:
    sandbox.reset()
    return Command(tmp_path, sandbox)


class Database:
    """A file with the columns that are read, written to as loads do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "CREATE SCHEMA pipedream; CREATE TABLE pipedream.stream_status (a INT)"
            )
            for table in ("source_event_summaries", "workflow_errors"):
                connection.execute(
                    f"CREATE TABLE pipedream.{table} (emitter_id TEXT, channel TEXT, id TEXT, "
                    "emitted_at TIMESTAMPTZ, event_seq BIGINT, event JSON, _dlt_load_id TEXT)"
                )

    def load(self, load_id: str, *seconds: float, channel: str = "", emitter: str = "dc_a") -> None:
        table = "workflow_errors" if channel else "source_event_summaries"
        with duckdb.connect(str(self.path)) as connection:
            for second in seconds:
                row = [
                    emitter,
                    channel,
                    f"{second}",
                    START + timedelta(seconds=second),
                    0,
                    "1",
                    load_id,
                ]
                connection.execute(f"INSERT INTO pipedream.{table} VALUES (?,?,?,?,?,?,?)", row)


def test_each_event_comes_once_wherever_it_lands(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.duckdb")
    feed = StoredFeed(database.path, "pipedream", "dc_a", None)

    def ids(found: list) -> list[str]:
        return [event["id"] for event in found]

    database.load("100.1", 1, 3, 2)
    database.load("100.1", 2.5, channel="$errors")
    database.load("100.1", 9, emitter="dc_b")
    assert ids(feed.newest(3)) == ["2", "2.5", "3"]
    assert feed.new() == []
    database.load("100.2", 5, 4)
    assert ids(feed.new()) == ["4", "5"]
    # A late row, one of another table of the same load, and one far ahead of its time.
    database.load("100.2", 4.5, channel="$errors")
    database.load("100.3", 1.5, 100_000)
    assert ids(feed.new()) == ["1.5", "4.5", "100000"]
    assert feed.new() == []
    database.load("100.4", 6)
    assert ids(feed.new()) == ["6"]
    # Another machine's load with an older id.
    database.load("100.0", 99_990)
    assert ids(feed.new()) == ["99990"]
    assert feed.new() == []
    only = StoredFeed(database.path, "pipedream", "dc_a", "$errors")
    assert ids(only.newest(9)) == ["2.5", "4.5"]
    nothing = StoredFeed(database.path, "pipedream", "dc_c", None)
    assert (nothing.newest(9), nothing.new()) == ([], [])
    database.load("100.0", -5, emitter="dc_c")
    assert (ids(nothing.new()), nothing.new()) == (["-5"], [])
    none = StoredFeed(database.path, "pipedream", "dc_a", None)
    assert (none.newest(0), none.new()) == ([], [])


def test_the_newest_events_stand_last(stored: Command) -> None:
    with duckdb.connect(str(stored.folder / DATABASE), read_only=True) as connection:
        query = (
            "SELECT emitter_id, id FROM pipedream.source_event_summaries "
            "WHERE contains(event::VARCHAR, 'twice')"
        )
        ((emitter, newest),) = connection.execute(query).fetchall()
    found = stored.json("events", "tail", "--emitter", emitter, "-n", "3")
    assert [event["id"] for event in found] == sorted(event["id"] for event in found)
    assert (len(found), found[-1]["id"], found[-1]["event"]["quote"]) == (3, newest, 'say "hi"')
    lines = stored.run("events", "tail", "--emitter", emitter).stdout.splitlines()
    assert (len(lines), lines[-1].split("\t")[2]) == (10, newest)
    code, seen = on_terminal(stored, "events", "tail", "--emitter", emitter, "-n", "1")
    assert (code, newest in seen, "\x1b[2J" in seen) == (0, True, False)
    with held(stored.folder / DATABASE):
        assert stored.run("events", "tail", "--emitter", emitter).returncode == 5
    for wrong in (["--emitter", "nosuch"], [], ["--emitter", emitter, "--follow", "--json"]):
        assert stored.run("events", "tail", *wrong).returncode == 2


def follow(command: Command, *words: str) -> subprocess.Popen[str]:
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return command.start("events", "tail", "--follow", "--jsonl", "--interval", "0.2s", *words)
    finally:
        signal.signal(signal.SIGINT, ours)


@pytest.mark.parametrize("live", [False, True])
def test_it_follows_until_it_is_interrupted(live: bool, command: Command, sandbox: Sandbox) -> None:
    emitter = id_of(sandbox, "GitHub code")
    one = ("--source-id", emitter, "--no-discover", "--only", "events")
    assert live or command.run("load", *one).returncode == 0
    with follow(command, "--emitter", emitter, "-n", "1", *(["--live"] * live)) as running:
        assert running.stdout
        assert json.loads(running.stdout.readline())["emitter_id"] == emitter
        for number in range(3):
            (new,) = sandbox.emit(emitter, event={"number": number})
            assert live or command.run("load", *one).returncode == 0
            event = json.loads(running.stdout.readline())
            assert (event["id"], event["event"]) == (new, {"number": number})
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (130, "", "")


def test_live_tells_of_a_window_that_ran_over(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.reset()
    emitter = id_of(sandbox, "GitHub code")
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url) as client:
        feed = LiveFeed(client, emitter, "")
        assert len(feed.newest(5)) == 5
        assert feed.new() == []
        sandbox.emit(emitter, count=100)
        assert len(feed.new()) == 100
        assert "events may have been missed" in " ".join(capsys.readouterr().err.split())
        workflow = id_of(sandbox, "Order fulfilment")
        errors = LiveFeed(client, workflow, "$errors").newest(2)
    assert [event["channel"] for event in errors] == ["$errors"] * 2
