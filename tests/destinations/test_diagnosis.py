"""What stands in a row, a path or a name never chooses the diagnosis: types and codes do."""

import sqlite3
import time
from pathlib import Path

import duckdb
import pytest
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.destinations.exceptions import DatabaseTransientException, DestinationConnectionError
from dlt.load.exceptions import LoadClientJobFailed

from pipedream_source.cli.read.database import open_database
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.running.destination.errors import (
    damage_told_by,
    is_configuration,
    is_passing,
    reason_of,
)
from tests.destinations.holding import held
from tests.destinations.test_bad_files import HEADER, cut
from tests.integration.contract import HOUR, Contract, Warehouse
from tests.integration.contract.command import Command

START = int(time.time() * 1000) - HOUR
EVENTS = "source_event_summaries"
WORDS = (
    "connection refused",
    "connection to server timed out",
    "IO Error: Could not set lock on file x: Conflicting lock is held",
    "database is locked",
    "checksum mismatch",
    "Corrupt database file",
    "Failure while replaying WAL file",
    "could not read enough bytes",
    "Query interrupted",
)


@pytest.mark.parametrize("words", ["connection refused", "checksum mismatch"])
def test_words_in_a_payload(contract: Contract, warehouse: Warehouse, words: str) -> None:
    """Once "locked or unreachable" with exit code 5, or "damaged: put a backup in its place"."""
    stream = contract.stream("dc_a")
    stream.emit_many(5, START)
    assert warehouse.load().exit_code == 0
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute(
            f"ALTER TABLE pipedream.{EVENTS} ALTER event SET DATA TYPE INTEGER USING NULL"
        )
    stream.emit(f"{START + 100_000}-0", b'{"error":"%s"}' % words.encode())
    report = warehouse.load()
    assert report.exit_code == 1, report.as_dict()
    told = str(report.error)
    assert f'Conversion Error: Failed to cast value to numerical: {{"error":"{words}"}}' in told
    assert "is damaged" not in told
    assert "locked or unreachable" not in told


@pytest.mark.parametrize("words", WORDS)
def test_words_in_a_value_that_does_not_fit(words: str) -> None:
    with pytest.raises(duckdb.Error) as raised:
        duckdb.execute("SELECT CAST(? AS INTEGER)", [words])
    job = LoadClientJobFailed("1.5", "events.parquet", str(raised.value), raised.value)
    for error in (raised.value, DatabaseTransientException(raised.value), job):
        assert not is_passing(error)
        assert not is_configuration(error)
        assert damage_told_by(error, Path("events.duckdb")) is None
        assert reason_of(error).startswith("Conversion Error: ")


@pytest.mark.parametrize(
    "folder", ["lock", "checksum", "IO Error: Could not set lock on file ", "connection refused"]
)
def test_a_damaged_file_in_a_folder_of_any_name(
    contract: Contract, warehouse: Warehouse, folder: str
) -> None:
    """Once "is being written by another process", with the advice to wait."""
    place = warehouse.folder / folder
    place.mkdir()
    odd = warehouse.renamed(f"{folder}/events.duckdb")
    cut(HEADER)(odd.database)
    report = odd.load()
    assert (report.exit_code, "cannot be opened" in str(report.error)) == (2, True)
    assert contract.journal == []
    with (
        pytest.raises(ConfigurationError, match="cannot be read"),
        open_database(odd.database, "pipedream"),
    ):
        pass
    old = ("prune", "--payloads-older-than", "30d", "--archive", "archive", "--yes")
    done = Command(odd).run(*old)
    assert (done.returncode, "in use by another" in done.stderr) == (2, False), done.stderr


def test_a_lock_is_a_lock(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1")
    with held(warehouse.database), pytest.raises(duckdb.IOException) as raised:
        duckdb.connect(str(warehouse.database))
    assert is_passing(raised.value)
    wrapped = DestinationConnectionError("client", "dataset", str(raised.value), raised.value)
    assert is_passing(wrapped)
    assert damage_told_by(wrapped, warehouse.database) is None


def test_a_damaged_file_of_another_kind_is_not_the_database(tmp_path: Path) -> None:
    """A Parquet file of a package that was cut short says nothing of the database."""
    for name in ("events.duckdb", "package.parquet"):
        text = f'IO Error: Could not read enough bytes from file "{tmp_path / name}": attempted'
        told = damage_told_by(duckdb.IOException(text), tmp_path / "events.duckdb")
        assert (told is None) == (name != "events.duckdb")


def sqlite_error(tmp_path: Path) -> sqlite3.Error:
    """Return what SQLite raises while another connection writes."""
    one, other = (sqlite3.connect(tmp_path / "x.db", timeout=0) for _ in range(2))
    one.execute("CREATE TABLE t (n)")
    one.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as raised:
        other.execute("BEGIN IMMEDIATE")
    one.close()
    other.close()
    return raised.value


def test_codes_and_types_of_drivers(tmp_path: Path) -> None:
    class Unavailable(Exception):
        sqlstate = "08006"

    class Deadlock(Exception):
        pgcode = "40P01"

    class Duplicate(Exception):
        pgcode = "23505"

    assert is_passing(sqlite_error(tmp_path))
    assert not is_passing(sqlite3.OperationalError("no such column: database is locked"))
    assert all(map(is_passing, (Unavailable("?"), Deadlock("?"), ConnectionRefusedError(111, "?"))))
    assert not is_passing(Duplicate('Key (id)=(connection refused) exists: "timed out"'))
    assert not is_passing(ValueError("row 5: connection refused"))
    assert not is_passing(FileNotFoundError(2, "timed out"))
    assert is_configuration(ConfigurationException())


@pytest.mark.parametrize(
    ("text", "passing", "configuration"),
    [
        ("connection to server at 127.0.0.1, port 1 failed: Connection refused", True, False),
        ('could not translate host name "db.invalid" to address: Name not known', True, False),
        ("server closed the connection unexpectedly", True, False),
        ("connection to server failed: FATAL:  the database system is starting up", True, False),
        ("connection to server failed: FATAL:  sorry, too many clients already", True, False),
        (
            "connection to server failed: FATAL:  password authentication failed",
            False,
            True,
        ),
        ('connection to server failed: FATAL:  database "timed out" does not exist', False, True),
    ],
)
def test_a_postgres_that_cannot_be_reached_or_refuses(
    text: str, *, passing: bool, configuration: bool
) -> None:
    """A wrong password was waited for, and told as a server that is away."""
    error = pytest.importorskip("psycopg2").OperationalError(text)
    wrapped = DestinationConnectionError("client", "dataset", text, error)
    for each in (error, wrapped):
        assert (is_passing(each), is_configuration(each)) == (passing, configuration)
