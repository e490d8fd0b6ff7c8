"""Everything that the command creates is its user's alone, whatever the umask."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipedream_source.exceptions import ConfigurationError
from pipedream_source.running.destination.lock import hold_lock
from tests.integration.command import ROOT, Command
from tests.integration.contract import KEY, Contract

WAL = ".wal"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_to_others(folder: Path) -> set[str]:
    """Name what group or others may do anything with."""
    found = set()
    for path in everything_in(folder):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:  # gone while the command works
            continue
        if mode & OTHERS:
            found.add(f"{path.relative_to(folder)} {stat.filemode(mode)}")
    return found


def everything_in(folder: Path) -> Iterator[Path]:
    """Yield all files and folders; unlike `rglob`, what vanishes meanwhile is no error."""
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *files))


@contextmanager
def watched(folder: Path) -> Iterator[set[str]]:
    """Look at the folder again and again: logs and temporary files live shortly."""
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.04):
            seen.update(open_to_others(folder))
            seen.update(WAL for path in everything_in(folder) if path.suffix == WAL)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def run(folder: Path, contract: Contract, *words: str) -> int:
    environment = {
        **{"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
        **{"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        **{"PIPEDREAM_API_KEY": KEY, "PIPEDREAM_BASE_URL": contract.url},
    }
    return subprocess.run(
        Command.line(*words),
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=100,
        umask=0,
        check=False,
    ).returncode


def test_nothing_is_open_to_others_under_an_open_umask(contract: Contract, tmp_path: Path) -> None:
    """A first load, one that is kept as the database is locked, and one with a folder elsewhere."""
    folder = tmp_path / "world"
    folder.mkdir(0o700)
    stream = contract.stream("dc_a")
    stream.emit_many(100, 1_700_000_000_000)
    with watched(folder) as seen:
        assert run(folder, contract, "load") == 0
        stream.emit_many(5, 1_700_001_000_000)
        with duckdb.connect(str(folder / "pipedream_events.duckdb")):
            assert run(folder, contract, "load", "--lock-wait", "0") == 5
        elsewhere = ("--database", "other.duckdb", "--pipelines-dir", "a/b/c")
        assert run(folder, contract, "load", *elsewhere) == 0
    made = {path.name for path in folder.rglob("*")}
    assert {"lock", "left-as", "state.json", "trace.pickle", "c"} <= made
    assert [*folder.rglob("*.parquet")], "no package was kept"
    assert WAL in seen
    assert seen - {WAL} | open_to_others(folder) == set()


def test_a_working_folder_that_everyone_may_write_to_is_refused(tmp_path: Path) -> None:
    """dlt unpickles its trace from there: whoever writes it runs code as this user."""
    folder = tmp_path / "events.duckdb.dlt"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigurationError, match="chmod 700"), hold_lock(folder / "lock"):
        pass
    assert [*folder.iterdir()] == []


def test_a_working_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "events.duckdb.dlt"
    folder.mkdir(0o700)
    if os.geteuid() == 0:
        os.chown(folder, 65_534, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    with pytest.raises(ConfigurationError, match="another user"), hold_lock(folder / "lock"):
        pass
