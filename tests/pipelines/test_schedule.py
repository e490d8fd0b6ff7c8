"""`pipedream-source schedule`: what it says of a period, and where its text goes."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipedream_source.sandbox import Sandbox
from tests.integration.command import DATABASE, ROOT, Command, id_of

HOUR_S = 3_600
PRINT = ("schedule", "--every", "15m", "--as", "cron")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A folder with a database: loaded once, nothing lost so far."""
    with Sandbox() as sandbox:
        command = Command(tmp_path_factory.mktemp("loaded"), sandbox)
        command.json("load")
        yield command


@pytest.fixture(scope="module")
def checked(loaded: Command) -> dict[str, dict[str, Any]]:
    """What `check` says while the API shows what was loaded, by period."""
    return {every: loaded.json("check", "--every", every) for every in ("30s", "15m", "6h")}


@pytest.fixture(scope="module")
def torn(loaded: Command, checked: object, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The same, loaded again after a burst of which one stream kept the end."""
    assert loaded.sandbox is not None
    folder = tmp_path_factory.mktemp("torn")
    for path in loaded.folder.glob(f"{DATABASE}*"):
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, folder / path.name)
    loaded.sandbox.advance(HOUR_S)
    loaded.sandbox.emit(id_of(loaded.sandbox, "Deploy hooks"), count=400, spread_s=HOUR_S)
    command = Command(folder, loaded.sandbox)
    assert command.json("load")["gaps"]
    return command


def told(command: Command, every: str, *more: str) -> dict[str, Any]:
    return command.json("schedule", "--every", every, "--as", "systemd", *more)


@pytest.mark.parametrize(("every", "outlooks"), [("30s", 1), ("15m", 1), ("6h", 3)])
def test_the_stored_events_tell_what_check_tells(
    loaded: Command, checked: dict[str, dict[str, Any]], every: str, outlooks: int
) -> None:
    """After the first load the database holds each window, and no more."""
    asked = checked[every]
    stored = told(loaded, every)
    figures = ("emitter_id", "channel", "outlook", "busiest", "safe_every_s", "lost_per_interval")
    expected = [{name: s[name] for name in figures} for s in asked["streams"]]
    assert [{name: s[name] for name in figures} for s in stored["streams"]] == expected
    assert len({s["outlook"] for s in stored["streams"]}) == outlooks
    assert stored["safe"] is all(s["outlook"] == "safe" for s in expected)
    assert stored["advised_every_s"] == asked["advised_every_s"]


def test_another_destination_tells_the_same(tmp_path: Path) -> None:
    bucket = {"DESTINATION__FILESYSTEM__BUCKET_URL": str(tmp_path / "bucket")}
    words = ("schedule", "--every", "6h", "--as", "systemd", "--json")
    there = ("--destination", "filesystem")
    with Sandbox() as sandbox:
        command = Command(tmp_path, sandbox)
        assert command.run("load", *there, **bucket).returncode == 0
        assert command.run("load").returncode == 0
        elsewhere = json.loads(command.run(*words, *there, **bucket).stdout)
        here = json.loads(command.run(*words).stdout)
    assert len(here["streams"]) > 20
    assert elsewhere["streams"] == here["streams"]
    assert elsewhere["loads"]["runs"] == 1
    assert "--destination" in elsewhere["command"]
    assert any("DESTINATION__FILESYSTEM__BUCKET_URL" in note for note in elsewhere["notes"])


def test_headroom_and_the_cadence_rule(loaded: Command) -> None:
    """By the figures of `status`: the time that a window spans, over the period."""
    status = {s["emitter_id"] + s["channel"]: s for s in loaded.json("status")["streams"]}
    found = [s for s in told(loaded, "15m")["streams"] if s["headroom"] is not None]
    assert len(found) > 10
    for stream in found:
        row = status[stream["emitter_id"] + stream["channel"]]
        expected = row["window_seconds"] * 100 / row["window_size"] / 900
        assert stream["headroom"] == pytest.approx(expected, rel=1e-3)
        assert 2 <= stream["rule_every_s"] <= 900


def test_what_was_lost_counts_as_what_came(torn: Command) -> None:
    (gap,) = torn.json("gaps")["gaps"]
    found = {(s["emitter_id"], s["channel"]): s for s in told(torn, "2h")["streams"]}
    stream = found[gap["emitter_id"], gap["channel"]]
    assert stream["busiest"] >= gap["lost_likely"] > 100
    assert stream["outlook"] != "safe"
    advised = told(torn, "2h")["advised_every_s"]
    assert advised < 7_200
    assert told(torn, f"{advised * 0.9:.0f}s")["safe"]
    said = torn.run(*PRINT)
    assert gap["emitter_id"] in said.stderr
    assert "would be safe at the pace seen" in said.stderr
    assert gap["emitter_id"] not in said.stdout


def test_loads_that_take_longer_than_the_period(torn: Command, tmp_path: Path) -> None:
    slow = tmp_path / "slow.duckdb"
    shutil.copy(torn.folder / DATABASE, slow)
    before = told(torn, "10m")
    assert before["counts_every_s"] == 600
    assert before["loads"]["runs"] == 2
    assert 0 < before["loads"]["usual_s"] <= before["loads"]["longest_s"] < 300
    with duckdb.connect(str(slow)) as connection:
        connection.execute(
            "UPDATE pipedream.load_runs SET started_at = started_at - INTERVAL 25 MINUTE"
        )
    found = told(torn, "10m", "--database", str(slow))
    assert found["counts_every_s"] == 1_800
    assert any("longer than 10m" in note and "every 30m" in note for note in found["notes"])
    assert found["streams"] == told(torn, "30m")["streams"]


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    found = told(Command(tmp_path), "5m")
    assert (found["safe"], found["streams"]) == (None, [])
    assert "check --every 5m" in found["notes"][0]
    assert list(tmp_path.iterdir()) == []


def test_the_text_goes_to_stdout_and_the_rest_to_stderr(loaded: Command) -> None:
    done = loaded.run(*PRINT)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("#")] == lines[-1:]
    assert str(loaded.folder / DATABASE) in lines[-1]
    assert "Loading every 15m: " in done.stderr
    assert "A load takes " in done.stderr
    units = loaded.run("schedule", "--every", "15m", "--as", "systemd").stdout
    assert units.count("# ---- pipedream-source.") == 2


def test_files_are_written_and_never_overwritten_unasked(tmp_path: Path) -> None:
    command = Command(tmp_path)
    words = ("schedule", "--every", "15m", "--as", "systemd", "--output", "units")
    timer = tmp_path / "units" / "pipedream-source.timer"
    timer.parent.mkdir()
    timer.write_text("mine", "utf-8")
    refused = command.run(*words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--force" in refused.stderr
    assert [path.name for path in timer.parent.iterdir()] == [timer.name]
    assert timer.read_text("utf-8") == "mine"
    done = command.run(*words, "--force")
    assert (done.returncode, done.stdout) == (0, "")
    names = sorted(path.name for path in timer.parent.iterdir())
    assert names == ["pipedream-source.service", "pipedream-source.timer"]
    assert "OnUnitActiveSec=900s" in timer.read_text("utf-8")


def test_what_this_shell_knows_goes_along_or_is_named(tmp_path: Path) -> None:
    command = Command(tmp_path)
    done = command.run(
        *(*PRINT, "--json", "--", "--only", "events"),
        PIPEDREAM_ORG_ID="o_Wyd85u",
        PIPEDREAM_DATABASE="data/events.duckdb",
        DLT_DATA_DIR="dlt",
        SOURCES__PIPEDREAM__MAX_WORKERS="3",
    )
    found = json.loads(done.stdout)
    words = found["command"]
    assert words[words.index("--database") + 1] == str(tmp_path / "data" / "events.duckdb")
    assert words[words.index("--pipelines-dir") + 1] == str(tmp_path / "dlt")
    assert words[-4:] == ["--only", "events", "--org-id", "o_Wyd85u"]
    assert any("SOURCES__PIPEDREAM__MAX_WORKERS" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--every", "15m", "--as", "cron", "--", "--nosuch"), "no such option"),
        (("--every", "15m", "--as", "cron", "--", "--only", "nothing"), "--only"),
        (("--every", "15m", "--as", "cron", "--", "--database", "x.duckdb"), "before the --"),
        (("--every", "7m", "--as", "cron"), "6m or 8m"),
        (("--every", "soon", "--as", "cron"), "a period looks like"),
        (("--every", "15m", "--as", "cron", "--folder", "a\nb"), "No schedule can hold"),
    ],
)
def test_what_makes_no_schedule_is_refused(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    done = Command(tmp_path).run("schedule", *words, COLUMNS="400")
    assert (done.returncode, done.stdout) == (2, "")
    assert told.casefold() in done.stderr.casefold()


def test_the_documentation_says_what_runs(loaded: Command) -> None:
    page = (ROOT / "docs" / "schedules.md").read_text("utf-8")
    lines = re.findall(r"^\$ pipedream-source (.*)$", page, re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        done = loaded.run(*shlex.split(line))
        assert done.returncode == 0, done.stderr
    shutil.rmtree(loaded.folder / "units")


def test_a_key_never_gets_into_a_schedule(tmp_path: Path) -> None:
    key = "pd_0123456789abcdef0123456789abcdef"
    done = Command(tmp_path).run(*PRINT, "--folder", f"/home/{key}", PIPEDREAM_API_KEY=key)
    assert (done.returncode, done.stdout) == (2, "")
    assert key not in done.stderr


def test_what_load_would_refuse_and_who_can_read_the_key_is_told(tmp_path: Path) -> None:
    secrets = tmp_path / ".dlt" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text('[sources.pipedream]\napi_key = "x"\n', "utf-8")
    secrets.chmod(0o644)
    notes = told(Command(tmp_path), "5m", "--database", "pipedream.duckdb")["notes"]
    assert any("have the same name" in note for note in notes)
    assert any(note.startswith("Others can read") for note in notes)
