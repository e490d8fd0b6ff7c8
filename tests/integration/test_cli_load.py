"""`pipedream-source load`: what it says, what it leaves, and its exit code."""

import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from pipedream_source.running.destination.lock import hold_lock
from pipedream_source.running.destination.target import Target
from pipedream_source.running.duckdb.storage import storage_version_of
from pipedream_source.sandbox.server import Sandbox
from pipedream_source.settings import STORAGE_VERSION
from tests.integration.command import DATABASE, Command, id_of


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def command(tmp_path: Path, sandbox: Sandbox) -> Command:
    sandbox.reset()
    sandbox.control("DELETE", "journal")
    return Command(tmp_path, sandbox)


@pytest.fixture
def here(command: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """The command within this process, which is faster where nothing is loaded."""
    monkeypatch.chdir(command.folder)
    for name in ("RUNTIME__LOG_LEVEL", "RUNTIME__DLTHUB_TELEMETRY"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    logger = logging.getLogger("pipedream_source")
    kept = logger.handlers, logger.propagate
    yield CliRunner(env={**command.environment, "COLUMNS": "400"})
    logger.handlers, logger.propagate = kept


def rows(command: Command, query: str, database: str = DATABASE) -> list[tuple]:
    with duckdb.connect(str(command.folder / database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def journal(command: Command) -> list[str]:
    assert command.sandbox is not None
    return [entry["path"] for entry in command.sandbox.journal()]


def test_a_first_load_and_a_second(command: Command, sandbox: Sandbox) -> None:
    first = command.process("load")
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    assert "Loaded 2,079 new events" in first.stdout
    assert "27 polled" in first.stdout
    assert "source_event_summaries 1,404" in first.stdout
    assert "none found" in first.stdout
    assert "pipedream-source status" in first.stdout
    for path in command.folder.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else mode & 0o700), path
    assert storage_version_of(command.folder / DATABASE) == STORAGE_VERSION
    sandbox.advance(3600)
    second = command.run("load", "--json")
    report = json.loads(second.stdout)
    assert second.stderr == ""
    assert report["streams"]["polled"] == 27
    assert report["rows"]["source_event_summaries"] == 256
    assert report["database"] == str(command.folder / DATABASE)
    query = "SELECT count(*), count(DISTINCT (emitter_id, channel, id)) FROM pipedream.{}"
    found = rows(command, query.format("source_event_summaries"))
    assert found == [(1404 + 256, 1404 + 256)]
    staged = "SELECT count(*) FROM pipedream_staging.source_event_summaries"
    assert rows(command, staged) == [(0,)], "a second copy of what was merged"


FAULTY = {
    "no key": ([], {"PIPEDREAM_API_KEY": ""}, "PIPEDREAM_API_KEY"),
    "plain http": (["--base-url", "http://example.com/v1"], {}, "https"),
    "no url": (["--base-url", "nonsense"], {}, "base_url"),
    "source id": (["--source-id", "../x"], {}, "source_ids (--source-id)"),
    "workflow as source": (["--source-id", "p_abc"], {}, "workflow_ids"),
    "workflow id": (["--workflow-id", "dc_abc"], {}, "workflow_ids"),
    "org id": (["--org-id", "acme"], {}, "org_id"),
    "time": (["--since", "yesterdayish"], {}, "since"),
    "nothing to poll": (["--no-discover"], {}, "name what to poll"),
    "ca bundle": (["--ca-bundle", "nowhere.pem"], {}, "ca_bundle"),
    "folder": (["--database", "."], {}, "folder"),
    "text file": (["--database", "notes.txt"], {}, "not a DuckDB database"),
    "missing folder": (["--database", "no/such/events.duckdb"], {}, "does not exist"),
    "same stem": (["--database", "pipedream.duckdb"], {}, "same name"),
    "dataset": (["--dataset", "a b"], {}, "dataset"),
    "storage": (["--storage-version", "v9"], {}, "choose one of v1.0.0, v1.2.0, v1.3.0, v1.4.0"),
    "env storage": ([], {"PIPEDREAM_STORAGE_VERSION": "1.2"}, "choose one of v1.0.0, v1.2.0"),
    "env database": ([], {"PIPEDREAM_DATABASE": "notes.txt"}, "not a DuckDB database"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_what_cannot_work_is_refused_before_any_request(
    case: str, here: CliRunner, command: Command
) -> None:
    (command.folder / "notes.txt").write_text("shopping list, and more")
    arguments, environment, said = FAULTY[case]
    done = here.invoke(app, ["load", *arguments], env=environment)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("Error  ")
    assert said in done.stderr
    # Who has no key is told in three lines more how to begin.
    assert len(done.stderr.splitlines()) == (4 if case == "no key" else 1)
    assert "Traceback" not in done.stderr
    assert journal(command) == []
    assert [path.name for path in command.folder.iterdir()] == ["notes.txt"]
    assert (command.folder / "notes.txt").read_text() == "shopping list, and more"


def test_a_wrong_key_writes_nothing(here: CliRunner, command: Command) -> None:
    done = here.invoke(app, ["load", "--json"], env={"PIPEDREAM_API_KEY": "wrong-key-4711"})
    assert done.exit_code == 2
    assert "refused the key" in done.stderr
    report = json.loads(done.stdout)
    assert (report["exit_code"], report["loaded"]) == (2, False)
    assert "wrong-key-4711" not in done.output
    assert journal(command) == ["/v1/users/me"]
    assert list(command.folder.iterdir()) == []


def test_a_folder_that_cannot_be_written(command: Command) -> None:
    # Root may write anywhere unless it gives that right up.
    as_others = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    if as_others and not shutil.which("setpriv"):
        pytest.skip("root may write anywhere")
    (command.folder / "closed").mkdir(mode=0o555)
    done = subprocess.run(
        [*as_others, *command.line("load", "--database", "closed/events.duckdb")],
        cwd=command.folder,
        env=command.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr.replace("\n", " ")
    assert journal(command) == []


def test_an_unknown_option_in_a_file_is_named(command: Command) -> None:
    config = command.folder / ".dlt" / "config.toml"
    config.parent.mkdir()
    config.write_text('[sources.pipedream]\nsource_id = "dc_abc"\n')
    done = command.run("load")
    assert done.returncode == 2
    assert "'source_id'" in done.stderr
    assert "source_ids" in done.stderr
    assert "config.toml" in done.stderr
    assert journal(command) == []
    assert not (command.folder / DATABASE).exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[sources.pipedream]\nmax_workers = "many"\n', "max_workers"),
        ("[sources.pipedream]\nsource_ids = [1]\n", "source_ids"),
    ],
)
def test_a_value_that_cannot_be_used(command: Command, text: str, said: str) -> None:
    (command.folder / ".dlt").mkdir()
    (command.folder / ".dlt" / "config.toml").write_text(text)
    done = command.run("load")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert journal(command) == []


def test_a_file_that_cannot_be_read(command: Command) -> None:
    (command.folder / ".dlt").mkdir()
    (command.folder / ".dlt" / "config.toml").write_text("[sources\n")
    done = command.process("load")
    assert done.returncode == 2, done.stderr
    assert "config.toml" in done.stderr
    assert "Traceback" not in done.stderr
    assert journal(command) == []


NESTED = "[sources.pipedream.pipedream_source]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NESTED + 'sinse = "3d"\n', "'sinse'"),
        (NESTED + 'max_workers = "many"\n', "must look like 8, not 'many'"),
        ('[sources.pipedream]\napi_key = "k"\n', "api_key stands in .dlt/config.toml"),
    ],
)
def test_what_stands_in_the_wrong_place_is_told(command: Command, text: str, said: str) -> None:
    (command.folder / ".dlt").mkdir()
    (command.folder / ".dlt" / "config.toml").write_text(text)
    done = command.run("load", PIPEDREAM_API_KEY=None, COLUMNS="400")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr


def test_every_end_has_one_shape(command: Command) -> None:
    shapes = []
    for wrong in (["--nosuch"], ["--max-workers", "x"], ["--source-id", "../x"], ["--dataset", ""]):
        report = command.json("load", *wrong, code=2)
        assert report["error"]
        shapes.append(set(report))
    whole = command.json("load", "--only", "entities")
    assert all(shape == set(whole) for shape in shapes)
    assert set(command.json("check", "--every", "x", code=2)) == {"exit_code", "error"}


def test_files_are_the_last_to_be_asked(command: Command, sandbox: Sandbox) -> None:
    folder = command.folder / ".dlt"
    folder.mkdir()
    source_id = id_of(sandbox, "Company blog")
    (folder / "secrets.toml").write_text(f'[sources.pipedream]\napi_key = "{sandbox.api_key}"\n')
    (folder / "config.toml").write_text(
        f'[sources.pipedream]\nbase_url = "{sandbox.url}"\nsource_ids = ["{source_id}"]\n'
        'discover = false\nchannels = ["ignored"]\norg_id = "o_ignored"\n'
        "[sources.pipedream.extract]\nworkers = 2\n"
    )
    done = command.run(
        *("load", "--json", "--channel", "", "--channel", "$logs"),
        PIPEDREAM_API_KEY=None,
        PIPEDREAM_BASE_URL=None,
        PIPEDREAM_ORG_ID=sandbox.org_id,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["streams"]["polled"] == 2
    assert {path for path in journal(command) if "/sources/" in path} == {
        f"/v1/sources/{source_id}/event_summaries"
    }
    channels = rows(command, "SELECT DISTINCT channel FROM pipedream.stream_status ORDER BY 1")
    assert channels == [("",), ("$logs",)]


def test_one_emitter_that_fails_stops_no_other(command: Command, sandbox: Sandbox) -> None:
    bad = id_of(sandbox, "Contact form")
    sandbox.fault(path=f"/v1/sources/{bad}/*", status=404, body='{"error":"[bold]gone\\u001b[2J"}')
    done = command.run("load")
    assert done.returncode == 3
    assert "26 polled · 1 failed" in done.stdout
    assert f"{bad}: " in done.stdout
    assert "[bold]gone" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr == ""
    found = rows(command, "SELECT emitter_id FROM pipedream.stream_status WHERE failures > 0")
    assert found == [(bad,)]
    told = command.run("load", "--quiet")
    assert told.returncode == 3
    assert told.stdout == ""
    assert told.stderr.count(bad) == 2  # one line: the stream, and the path within the message
    sandbox.clear_faults()
    assert command.run("load", "--quiet").returncode == 0


def test_loss_fails_only_on_request(command: Command, sandbox: Sandbox) -> None:
    busy = id_of(sandbox, "Deploy hooks")
    only = ("load", "--source-id", busy, "--no-discover")
    assert command.run(*only).returncode == 0
    for flags, code in (((), 0), (("--fail-on-loss",), 4)):
        sandbox.advance(600)
        sandbox.emit(busy, count=150, spread_s=500)
        done = command.run(*only, *flags)
        assert done.returncode == code, done.stderr
        assert "1 gap, lost: 0 to " in done.stdout
        assert "overrun" in done.stdout
        assert done.stdout.count(busy) == 1
        assert done.stderr == ""


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, marks=pytest.mark.chaos), (signal.SIGTERM, 143)],
)
def test_a_signal_loses_nothing(
    command: Command, sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    sandbox.fault(path="/v1/*/event_summaries", delay_s=0.4)
    running = command.start("load", "--max-workers", "2")
    _wait_for(lambda: any("event_summaries" in path for path in journal(command)))
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == code, err
    assert number.name in out
    assert "Traceback" not in err
    sandbox.clear_faults()
    again = command.json("load")
    assert again["streams"]["failed"] == 0
    query = "SELECT count(*), count(DISTINCT (emitter_id, channel, id)) FROM pipedream.{}"
    found = rows(command, query.format("source_event_summaries"))
    assert found == [(1404, 1404)]


def _wait_for(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_second_run_is_told_to_wait(here: CliRunner, command: Command) -> None:
    with hold_lock(Target(database=command.folder / DATABASE).folder / "lock"):
        done = here.invoke(app, ["load"])
    assert done.exit_code == 75
    assert "Another run" in done.stderr
    assert not (command.folder / DATABASE).exists()


def test_a_locked_database_keeps_what_was_polled(command: Command, sandbox: Sandbox) -> None:
    one = ("--source-id", id_of(sandbox, "GitHub issues"), "--no-discover")
    assert command.run("load", *one).returncode == 0
    sandbox.advance(3600)
    with duckdb.connect(str(command.folder / DATABASE)):
        kept = command.process("load", *one, "--lock-wait", "0")
        assert kept.returncode == 5, kept.stderr
        assert "Polled, not loaded" in kept.stdout
        assert "kept" in kept.stderr
        locked = command.process("status")
        assert locked.returncode == 5
        assert "being written by another process" in locked.stderr.replace("\n", " ")
    assert "1 package polled and not loaded yet" in command.run("status").stdout
    done = command.run("load", *one)
    assert done.returncode == 0
    assert "had left pending" in done.stdout
    assert command.json("status")["pending_packages"] == 0


@pytest.mark.parametrize("verbose", [False, True])
def test_an_unforeseen_error_shows_no_key(
    here: CliRunner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, verbose: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        secret = sandbox.api_key
        raise RuntimeError(f"boom with {secret}")

    monkeypatch.setattr("pipedream_source.running.load.load_run.run_load", fail)
    done = here.invoke(app, ["load", *(["-v"] if verbose else [])])
    assert done.exit_code == 1
    assert sandbox.api_key not in done.output
    assert "boom with [redacted]" in done.stderr
    assert ("Traceback" in done.stderr) is verbose
    assert ("-v" in done.stderr.split("\n")[-2]) is not verbose


def test_events_and_entities_apart(command: Command) -> None:
    report = command.json("load", "--only", "entities")
    objects = {"components", "component_code", "users", "webhooks", "workspaces"}
    assert set(report["rows"]) == objects | {"sources", "subscriptions", "workflows"}
    assert report["streams"]["polled"] == 0
    assert command.run("load", "--only", "other").returncode == 2
