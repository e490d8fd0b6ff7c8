"""What the command shows without changing anything: help, check, status, gaps."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from pipedream_source.cli.flags.config import SECRETS, TYPES
from pipedream_source.cli.flags.times import period_s
from pipedream_source.cli.output.console import duration, lost_range, lost_total, number, shown
from pipedream_source.cli.run.check import UNKNOWABLE
from pipedream_source.core.completeness.loss_sum import Loss, LossSum
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.running.survey import Outlook, outlook_of
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, ROOT, Command, id_of

VERBS = (
    *("demo", "init", "check", "load", "status", "gaps", "prove", "sandbox"),
    *("tables", "sql", "search", "open", "export", "prune"),
)
PLAIN = {"NO_COLOR": "1", "COLUMNS": "120", "TERM": "dumb"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def loaded(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A database with one gap, after two loads; only read by the tests."""
    command = Command(tmp_path_factory.mktemp("loaded"), sandbox)
    sandbox.reset()
    assert command.run("load").returncode == 0
    sandbox.advance(3600)
    sandbox.emit(id_of(sandbox, "Newsletter signups"), count=150, spread_s=500)
    assert command.run("load").returncode == 0
    return command


@pytest.fixture
def command(tmp_path: Path, sandbox: Sandbox) -> Iterator[Command]:
    yield Command(tmp_path, sandbox)
    sandbox.clear_faults()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_teaches_with_an_example(verb: str) -> None:
    done = CliRunner().invoke(app, [verb, "--help"], env=PLAIN)
    assert done.exit_code == 0
    assert "Examples" in done.stdout
    assert f"pipedream-source {verb}" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_verbs_are_all_listed() -> None:
    done = CliRunner().invoke(app, ["--help"], env=PLAIN)
    assert all(f" {verb} " in done.stdout for verb in VERBS)


def test_help_and_version_import_nothing_heavy() -> None:
    code = (
        "import sys; from pipedream_source.cli.app import app\n"
        "for words in (['--help'], ['load', '--help'], ['demo', '--help'], ['--version']):\n"
        "    try: app(words)\n"
        "    except SystemExit as done: assert not done.code\n"
        "heavy = {'dlt', 'pandas', 'pyarrow', 'requests', 'starlette', 'uvicorn', 'duckdb'}\n"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("pipedream-source ")


@pytest.mark.parametrize("arguments", [["nosuch"], ["load", "--nosuch"], ["check", "--every", "x"]])
def test_a_wrong_word_is_a_usage_error(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments, env=PLAIN).exit_code == 2


def test_the_key_is_no_flag() -> None:
    for verb in VERBS:
        assert "--api-key" not in CliRunner().invoke(app, [verb, "--help"], env=PLAIN).stdout


def test_every_option_of_the_source_can_stand_in_a_file() -> None:
    import inspect

    from pipedream_source import pipedream_source

    assert {*TYPES, *SECRETS} == set(inspect.signature(pipedream_source).parameters)


def test_status_shows_each_stream(loaded: Command, sandbox: Sandbox) -> None:
    done = loaded.run("status", COLUMNS="130")
    assert done.returncode == 0, done.stderr
    assert "27 streams: 26 contiguous, 1 overrun · 1 gap" in done.stdout
    (line,) = [text for text in done.stdout.splitlines() if "Newsletter signups" in text]
    assert id_of(sandbox, "Newsletter signups") in line
    assert "overrun" in line
    assert "100%" in line
    assert max(map(len, loaded.run("status", COLUMNS="80").stdout.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160])
def test_no_width_hides_what_matters(loaded: Command, sandbox: Sandbox, width: int) -> None:
    told = loaded.run("status", COLUMNS=str(width)).stdout
    for said in ("last event", "quiet", "fill", "headroom", "failures", "gaps"):
        assert said in told
    for emitter in sandbox.state()["emitters"]:
        if emitter["name"] == "Newsletter signups":
            assert emitter["id"] in told
    assert "…" not in told
    assert max(map(len, told.splitlines())) <= width


def test_status_as_json(loaded: Command, sandbox: Sandbox) -> None:
    found = loaded.json("status")
    assert (len(found["streams"]), found["pending_packages"]) == (27, 0)
    assert found["last_run_at"]
    busy = id_of(sandbox, "Newsletter signups")
    (row,) = [s for s in found["streams"] if s["emitter_id"] == busy]
    assert row["name"] == "Newsletter signups"
    assert (row["verdict"], row["gaps"], row["quiet_seconds"]) == ("overrun", 1, 0.0)
    assert row["lost"]["min"] <= 51 <= row["lost"]["max"]


def test_gaps_are_told_with_a_legend(loaded: Command, sandbox: Sandbox) -> None:
    done = loaded.run("gaps", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "1 gap. Lost: 0 to " in done.stdout
    assert "overrun" in done.stdout
    assert "more than 100 events came between two polls" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    (gap,) = loaded.json("gaps", "--emitter", id_of(sandbox, "Newsletter signups"))["gaps"]
    assert gap["name"] == "Newsletter signups"
    assert gap["lost_min"] <= gap["lost_likely"] <= gap["lost_max"]


def test_no_gaps_is_said_plainly(loaded: Command, sandbox: Sandbox) -> None:
    other = loaded.run("gaps", "--emitter", id_of(sandbox, "GitHub code"))
    assert (other.returncode, other.stdout[:7]) == (0, "No gaps")
    later = loaded.json("gaps", "--since", "2030-01-01")
    nothing = {"gaps": [], "lost": {"min": 0, "likely": 0, "max": 0}}
    assert later == nothing | {"unknown_emitters": []}
    unknown = loaded.run("gaps", "--emitter", "dc_nosuch")
    assert (unknown.returncode, unknown.stdout[:18]) == (0, "unknown  dc_nosuch")
    assert "No gaps" not in unknown.stdout
    assert loaded.run("gaps", "--emitter", "nosuch").returncode == 2
    assert loaded.run("gaps", "--since", "soon").returncode == 2


@pytest.mark.parametrize("verb", ["status", "gaps"])
def test_what_is_not_there_is_not_made(
    verb: str, loaded: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("shopping list, and more")
    here = CliRunner(env={"COLUMNS": "400"})
    database = str(loaded.folder / DATABASE)
    for arguments, said in (
        ([], "does not exist"),
        (["--database", "."], "is a folder"),
        (["--database", "notes.txt"], "cannot be read"),
        (["--database", database, "--dataset", "other"], "no dataset 'other'"),
    ):
        done = here.invoke(app, [verb, *arguments])
        assert done.exit_code == 2, done.output
        assert said in done.stderr
        assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_another_destination_is_read_through_dlt(command: Command, sandbox: Sandbox) -> None:
    sandbox.reset()
    place = {"DESTINATION__FILESYSTEM__BUCKET_URL": str(command.folder / "bucket")}
    one = ("--source-id", id_of(sandbox, "GitHub code"), "--no-discover")
    done = command.run("load", *one, "--destination", "filesystem", **place)
    assert done.returncode == 0, done.stderr
    shown = command.run("status", "--destination", "filesystem", **place)
    assert shown.returncode == 0, shown.stderr
    assert "1 stream: 1 first · no gaps" in shown.stdout
    refused = command.run("load", "--destination", "nosuch")
    assert refused.returncode == 2
    assert "'nosuch'" in refused.stderr


def test_check_tells_what_a_schedule_loses(command: Command, sandbox: Sandbox) -> None:
    sandbox.reset()
    done = command.run("check")
    assert done.returncode == 0, done.stderr
    for said in ("user ada", "16 listed, 15 active", "Invoice renderer by errors", "27 safe"):
        assert said in done.stdout
    assert " ".join(UNKNOWABLE.split()) in " ".join(done.stdout.split())
    narrow = command.run("check", COLUMNS="60").stdout
    assert "100 in" in narrow
    assert "…" not in narrow
    found = command.json("check", "--every", "12h")
    outlooks = {s["name"]: s["outlook"] for s in found["streams"] if s["channel"] == ""}
    assert outlooks["Sensor gateway"] == "loses"
    assert outlooks["GitHub organization"] == "at risk"
    assert outlooks["Legacy inventory"] == "safe"
    assert 1800 < found["advised_every_s"] < 6 * 3600
    assert [workspace["name"] for workspace in found["workspaces"]] == [
        "Acme Storefront",
        "Acme Growth",
    ]
    assert list(command.folder.iterdir()) == []


def test_check_names_what_cannot_be_read(command: Command, sandbox: Sandbox) -> None:
    bad = id_of(sandbox, "Contact form")
    sandbox.fault(path=f"/v1/sources/{bad}/*", status=403)
    sandbox.fault(path="/v1/users/me/subscriptions", status=404)
    done = command.run("check")
    assert done.returncode == 3, done.stderr
    assert f"unreadable  {bad}: " in done.stdout
    assert "failed users/me/subscriptions" in done.stdout
    wrong = command.run("check", "--json", PIPEDREAM_API_KEY="wrong-key")
    assert wrong.returncode == 2
    assert json.loads(wrong.stdout)["exit_code"] == 2
    assert "refused the key" in wrong.stderr


def test_check_stops_at_a_signal(command: Command, sandbox: Sandbox) -> None:
    sandbox.reset()
    sandbox.fault(path="/v1/*/event_summaries", delay_s=0.4)
    running = command.start("check", "--max-workers", "1")
    deadline = time.monotonic() + 60
    while not any("event_summaries" in entry["path"] for entry in sandbox.journal()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, "Traceback" in err) == (130, False)


def ids(*seconds: float) -> list[EventId]:
    return [EventId(1_700_000_000_000 + int(s * 1000), 0) for s in seconds]


@pytest.mark.parametrize(
    ("seconds", "every_s", "outlook", "lost"),
    [
        ([], 900, Outlook.SAFE, 0),
        ([0], 900, Outlook.SAFE, 0),
        ([n * 60 for n in range(100)], 900, Outlook.SAFE, 0),
        ([n * 10 for n in range(100)], 900, Outlook.AT_RISK, 0),
        ([n * 6 for n in range(100)], 900, Outlook.LOSES, 50),
        ([n * 6 for n in range(40)], 900, Outlook.SAFE, 0),
        ([*range(51), *(10_000 * n for n in range(1, 50))], 900, Outlook.AT_RISK, 0),
        ([0.001 * (n % 10) + 3600 * (n // 10) for n in range(100)], 900, Outlook.SAFE, 0),
    ],
)
def test_the_outlook(seconds: list[float], every_s: float, outlook: Outlook, lost: int) -> None:
    found = outlook_of(Stream("dc_a", ""), ids(*seconds), every_s=every_s)
    assert (found.outlook, found.lost_per_interval) == (outlook, lost)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("1.5h", 5400), ("1d", 86400)]
)
def test_periods(text: str, seconds: float) -> None:
    assert period_s(text) == seconds


def test_texts_of_others_are_harmless() -> None:
    assert shown("[red]x[/]\x1b[2J\nnext") == "\\[red]x\\[/]\\x1b[2J next"
    assert [duration(s) for s in (None, 0, 0.2, 45, 120, 9000, 90_000)] == [
        *("-", "0s", "<1s", "45s", "2m", "2.5h", "1.0d")
    ]
    assert [number(n) for n in (None, 0.0, 1.25, 12.5, 1234.0)] == ["-", "0", "1.2", "12", "1,234"]
    assert lost_range(0, 14, 38_774_340) == "0 to 39 M, likely 14"
    assert lost_range(3, None, None) == "at least 3"
    assert lost_range(196, 196, 196) == "196"


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        ([], "0 to 0 events"),
        ([(1, 5, 9), (2, 2, 2)], "3 to 11 events"),
        ([(0, None, None)], "an unknown number of events"),
        ([(3, None, None), (0, None, None)], "at least 3 events, how many more is unknown"),
        ([(1, 5, 9), (0, None, None)], "1 to 9 events and, in 1 gap, an unknown number more"),
        (
            [(1, 5, 9), (2, None, None), (0, None, None)],
            "1 to 9 events and, in 2 gaps, at least 2 more",
        ),
    ],
)
def test_a_sum_with_an_unknown_in_it_says_so(losses: list[Loss], told: str) -> None:
    total = LossSum.of(losses)
    assert lost_total(total) == told
    is_known = all(most is not None for _, _, most in losses)
    assert (total.most is not None) == is_known
    assert total.as_dict()["min"] == sum(least for least, _, _ in losses)


def test_several_likely_losses_make_no_likely_sum() -> None:
    sums: tuple[list[Loss], ...] = (
        [],
        [(1, 5, 9)],
        [(2, 2, 2), (3, 3, 3)],
        [(1, 5, 9), (0, 5, 9)],
        [(0, None, None)],
    )
    assert [LossSum.of(losses).likely for losses in sums] == [0, 5, 5, None, None]


def test_the_sandbox_serves_until_a_signal(tmp_path: Path) -> None:
    running = Command(tmp_path).start("sandbox", "--json", "--seed", "3")
    assert running.stdout is not None
    told: dict[str, Any] = json.loads(running.stdout.readline())
    keys = {"api_key", "client_id", "client_secret", "control_key", "org_id"}
    assert set(told) == keys | {"url", "control_url", "openapi_url"}
    taken = told["url"].split(":")[2].split("/")[0]
    busy = Command(tmp_path).run("sandbox", "--port", taken)
    assert (busy.returncode, busy.stdout) == (2, "")
    assert "Cannot listen" in busy.stderr
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")
