"""Every notebook runs, on any database, and holds it no longer than a query."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")

from tests.integration.command import Command
from tests.notebooks.databases import EVENTS, rows
from tests.notebooks.running import FOLDER, NAMES, ROOT, run, script


def test_each_is_a_script(demo: Path, tmp_path: Path) -> None:
    environment = Command(tmp_path).environment | {"PIPEDREAM_DATABASE": str(demo)}
    here = tmp_path / "here"
    here.mkdir()
    started = {
        name: subprocess.Popen(
            script(name),
            cwd=here,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in NAMES
    }
    for name, process in started.items():
        wrote, problems = process.communicate(timeout=240)
        assert (process.returncode, problems) == (0, ""), name
        assert wrote.startswith("**2,552 events** (1,804 in `source_event_summaries`"), name
        assert "Last polled **2026-11-02 10:10**" in wrote
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_database(name: str, empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    defined = run(name, empty)
    told = capsys.readouterr().out
    assert "**0 events**" in told
    assert "**Nothing was polled yet.** Load with `pipedream-source load`." in told
    assert defined["database"].path == empty


def test_without_a_database_it_says_what_to_type(tmp_path: Path) -> None:
    done = subprocess.run(
        script("errors"),
        cwd=tmp_path,
        env=Command(tmp_path).environment | {"PIPEDREAM_DATABASE": str(tmp_path / "gone.duckdb")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode
    assert f"`{tmp_path}/gone.duckdb` does not exist." in done.stderr
    assert "`pipedream-source load`" in done.stderr
    assert "`make demo`" in done.stderr


def test_a_load_may_write_once_the_cells_have_run(demo: Path) -> None:
    run("quickstart", demo)
    line = f"import duckdb; duckdb.connect({str(demo)!r}).close()"
    subprocess.run([sys.executable, "-c", line], check=True, timeout=60)


def test_marimo_finds_nothing_to_object_to() -> None:
    files = [str(FOLDER / f"{name}.py") for name in NAMES]
    done = subprocess.run(
        [sys.executable, "-m", "marimo", "check", "--strict", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.chaos
@pytest.mark.parametrize("name", NAMES)
def test_a_million_events(name: str, million: Path, capsys: pytest.CaptureFixture[str]) -> None:
    total = "SELECT sum(n) FROM (SELECT count(*) AS n FROM {} UNION ALL SELECT count(*) FROM {} "
    total += "UNION ALL SELECT count(*) FROM {})"
    tables = ("source_event_summaries", "workflow_emits", "workflow_errors")
    assert rows(million, total.format(*tables)) == [(EVENTS,)]
    begun = time.monotonic()
    run(name, million)
    took = time.monotonic() - begun
    assert "**1,000,000 events**" in capsys.readouterr().out
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {took:.1f} s on a million events\n")
