"""`compact` among loads, readers and other people's files."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from pipedream_source.exceptions import ConfigurationError, DestinationUnavailable
from pipedream_source.running.destination.lock import hold_lock
from pipedream_source.running.destination.target import Target
from pipedream_source.running.duckdb import swap
from pipedream_source.running.duckdb.storage import storage_version_of
from pipedream_source.running.duckdb.workplace import workplace_beside
from pipedream_source.running.maintenance import compact
from pipedream_source.running.maintenance.compact import Compaction, compact_database
from pipedream_source.sandbox.server import Sandbox
from tests.destinations.holding import held
from tests.integration.command import DATABASE, Command, id_of
from tests.integration.invoking import on_terminal
from tests.integration.pruning import payloads


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def around(path: Path) -> set[str]:
    return {other.name for other in path.parent.iterdir()}


def test_the_next_load_goes_on_and_still_notices_damage(sandbox: Sandbox, tmp_path: Path) -> None:
    command, target = Command(tmp_path, sandbox), Target(database=tmp_path / DATABASE)
    assert command.run("load").returncode == 0
    sandbox.advance(60)
    sandbox.emit(id_of(sandbox, "GitHub code"), event={"n": 1})
    assert command.run("load").returncode == 0
    noted, before = target.noted_load_id, payloads(target.database)
    proof = command.run("prove", "--json").stdout
    size = target.database.stat().st_size
    done = command.json("compact")
    assert (done["bytes_before"], done["bytes_after"]) == (size, target.database.stat().st_size)
    assert done["bytes_after"] < size
    assert done["left_out"] == ["pipedream_staging"]
    assert done["storage_version"] == storage_version_of(target.database)
    assert done["file"] == str(target.database)
    assert target.is_untouched(noted)
    assert payloads(target.database) == before
    assert command.run("prove", "--json").stdout == proof
    sandbox.advance(60)
    sandbox.emit(id_of(sandbox, "GitHub code"), event_text='{"n":2}')
    loaded = command.json("load", "--fail-on-loss")
    assert (loaded["warnings"], loaded["rows_gone"], loaded["gaps"]) == ([], {}, [])
    now = payloads(target.database)["source_event_summaries"]
    assert (
        len(now) == len(before["source_event_summaries"]) + loaded["rows"]["source_event_summaries"]
    )
    assert '{"n":2}' in now.values()
    with duckdb.connect(str(target.database)) as connection:
        connection.execute("DELETE FROM pipedream.workflow_errors")
    told = command.run("compact")
    assert (told.returncode, told.stdout[:9]) == (0, "Compacted"), told.stderr
    assert not target.is_untouched(target.noted_load_id)
    assert command.json("load")["rows_gone"].keys() == {"workflow_errors"}


def test_what_is_in_the_way_is_told(target: Target, tmp_path: Path) -> None:
    command, before = Command(tmp_path), target.database.read_bytes()
    link = tmp_path / "link.duckdb"
    link.symlink_to(target.database)
    with hold_lock(target.folder / "lock"):
        assert command.run("compact").returncode == 75
    with workplace_beside(target.database, "compact"):
        assert command.run("compact").returncode == 75
    for role, more, code in (
        ("reader", ["--lock-wait", "0"], 5),
        ("reader", ["--lock-wait", "0", "--to", "copy.duckdb"], 0),
        ("writer", ["--lock-wait", "0", "--to", "copy.duckdb", "--force"], 5),
    ):
        with held(target.database, role):
            done = command.run("compact", *more)
        assert done.returncode == code, done.stderr
    for more, said in (
        (["--destination", "postgres"], "works on DuckDB files only"),
        (["--dataset", "other"], "holds no dataset"),
        (["--database", "none.duckdb"], "does not exist"),
        (["--to", "copy.duckdb"], "already exists"),
        (["--to", "."], "is a folder"),
        (["--to", "nowhere/copy.duckdb"], "does not exist"),
        (["--to", "link.duckdb", "--force"], "the database itself"),
        (["--to", "/dev/null", "--force"], "not a regular file"),
        (["--force"], "no --to"),
        (["--storage-version", "v0.1"], "cannot write the storage version"),
    ):
        done = command.run("compact", *more, COLUMNS="300")
        assert (done.returncode, said in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert target.database.read_bytes() == before


def test_a_snapshot_replaces_another(target: Target, tmp_path: Path) -> None:
    command, copy = Command(tmp_path), tmp_path / "copy.duckdb"
    copy.write_bytes(b"an older one")
    copy.chmod(0o644)
    before, files = target.fingerprint, around(target.database)
    words = ("compact", "--to", str(copy), "--force", "--json")
    with held(target.database, "reader"):
        assert command.run(*words).returncode == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    assert payloads(copy) == payloads(target.database)
    assert (target.fingerprint, around(target.database)) == (before, files)
    with held(copy, "reader"):
        assert command.run(*words).returncode == 0
    with held(copy, "writer"):
        assert command.run(*words).returncode == 5
    log = copy.with_name("copy.duckdb.wal")
    log.write_bytes(b"of another file")
    told = command.run(*words)
    assert (told.returncode, str(log) in " ".join(told.stderr.split())) == (5, True)
    assert payloads(copy) == payloads(target.database)


def test_a_disk_without_room_is_told_before(target: Target, tmp_path: Path) -> None:
    before = target.database.read_bytes(), around(target.database)
    with patch.object(shutil, "disk_usage", return_value=shutil._ntuple_diskusage(9, 9, 1_000)):
        done = Command(tmp_path).run("compact")
    assert (done.returncode, "make room" in done.stderr) == (1, True)
    assert (target.database.read_bytes(), around(target.database) - {f"{DATABASE}.dlt"}) == before


@pytest.mark.parametrize("change", ["a row", "a log"])
def test_whatever_is_written_meanwhile_stays(target: Target, change: str) -> None:
    """Between the end of the copy and the swap the database is nobody's."""
    real = swap.swap_in

    def later(new: Path, database: Path, mark: Any) -> None:
        if change == "a row":
            with duckdb.connect(str(database)) as connection:
                connection.execute("CREATE TABLE made_meanwhile AS SELECT 1 AS one")
        else:
            database.with_name(database.name + ".wal").touch()
        real(new, database, mark)

    with (
        patch.object(compact, "swap_in", later),
        pytest.raises(DestinationUnavailable, match="written by another process meanwhile"),
    ):
        compact_database(target, Compaction())
    if change == "a row":
        with duckdb.connect(str(target.database)) as connection:
            assert connection.execute("FROM made_meanwhile").fetchall() == [(1,)]
    with held(target.database, "reader"), pytest.raises(DestinationUnavailable, match="in use"):
        swap.swap_in(target.database, target.database, target.fingerprint)


def test_a_log_of_changes_is_in_the_copy(target: Target, tmp_path: Path) -> None:
    """What a killed writer committed is in the log beside the file alone."""
    with duckdb.connect(str(target.database)) as connection:
        connection.execute("SET wal_autocheckpoint = '1GB'")
        connection.execute("CREATE TABLE in_the_log AS SELECT 1 AS one")
        for path in target.database.parent.glob(f"{DATABASE}*"):
            if path.is_file():
                shutil.copy(path, tmp_path / path.name.replace(DATABASE, "other.duckdb"))
    other = Target(database=tmp_path / "other.duckdb")
    assert (tmp_path / "other.duckdb.wal").stat().st_size
    compact_database(other, Compaction())
    assert not (tmp_path / "other.duckdb.wal").exists()
    with duckdb.connect(str(other.database), read_only=True) as connection:
        assert connection.execute("FROM in_the_log").fetchall() == [(1,)]


def test_another_users_file_is_refused(target: Target) -> None:
    before = target.database.read_bytes()
    found = target.database.stat()
    with (
        patch.object(swap, "_owner_of", side_effect=[(found.st_uid + 1, found.st_gid), (0, 0)]),
        patch("os.chown", side_effect=PermissionError(1, "Operation not permitted")),
        pytest.raises(ConfigurationError, match="let its owner run this"),
    ):
        compact_database(target, Compaction())
    assert target.database.read_bytes() == before


def test_progress_on_a_terminal(target: Target, tmp_path: Path) -> None:
    code, seen = on_terminal(Command(tmp_path), "compact")
    assert (code, "Compacted" in seen) == (0, True), seen
    assert "Verifying" in seen
    assert " rows" in seen
