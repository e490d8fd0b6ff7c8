"""New DuckDB files: made whole or not at all, in a version that is told without opening them."""

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import dlt
import duckdb
import pytest

from pipedream_source import ConfigurationError, duckdb_file
from pipedream_source.running.duckdb import storage
from pipedream_source.running.duckdb.storage import (
    advice_on,
    check_version,
    create_database,
    known_versions,
    set_for_writing,
    storage_version_of,
)
from pipedream_source.settings import STORAGE_VERSION

ASKED = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal"
COMPRESSION = (
    "SELECT DISTINCT compression FROM pragma_storage_info('t') "
    "WHERE column_name = 'event' AND segment_type <> 'VALIDITY'"
)
STAGED = "SELECT count(*) FROM pipedream_staging.things"

ZSTD_FROM = "SELECT current_setting('zstd_min_string_length')::BIGINT"


def asked(pipeline: dlt.Pipeline, query: str) -> int:
    """Ask by dlt's own connection, which may still be open."""
    with pipeline.sql_client() as sql:
        ((value,),) = sql.execute_sql(query) or ()
    return int(value)


def told_by_duckdb(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        return str(connection.execute(ASKED).fetchall()[0][0]).removesuffix("+")


@pytest.mark.parametrize("version", known_versions())
def test_a_file_has_the_version_that_it_was_made_with(tmp_path: Path, version: str) -> None:
    path = tmp_path / "new.duckdb"
    assert create_database(path, version)
    assert storage_version_of(path) == told_by_duckdb(path) == version
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS FROM range(10)")
        connection.execute("CHECKPOINT")
    assert storage_version_of(path) == version
    assert bool(advice_on(path)) == (version in ("v1.0.0", "v2.0.0"))


def test_nothing_but_the_file_is_left_and_its_mode_is_from_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert create_database(tmp_path / "new.duckdb")
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["new.duckdb"]
    assert (tmp_path / "new.duckdb").stat().st_mode & 0o777 == 0o640
    assert storage_version_of(tmp_path / "new.duckdb") == STORAGE_VERSION


def test_a_file_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_bytes(b"mine")
    assert not create_database(path)
    assert path.read_bytes() == b"mine"
    assert storage_version_of(path) is None


def test_a_file_that_somebody_makes_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    path, connect = tmp_path / "new.duckdb", duckdb.connect

    def meanwhile(*given, **options) -> duckdb.DuckDBPyConnection:
        path.write_bytes(b"mine")
        return connect(*given, **options)

    with patch("duckdb.connect", meanwhile):
        assert not create_database(path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(path.name, b"mine")]


def test_a_file_system_without_hard_links(tmp_path: Path) -> None:
    with patch.object(Path, "hardlink_to", side_effect=PermissionError):
        assert create_database(tmp_path / "new.duckdb")
    assert [path.name for path in tmp_path.iterdir()] == ["new.duckdb"]
    assert told_by_duckdb(tmp_path / "new.duckdb") == STORAGE_VERSION


def test_killed_while_it_is_made_there_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    child = os.fork()
    if not child:
        with patch.object(storage, "_named", lambda *_: os._exit(9)):
            create_database(path)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not path.exists()
    assert create_database(path)
    assert told_by_duckdb(path) == STORAGE_VERSION


def test_a_version_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'v9' *: choose one of v1.0.0, v1.2.0"):
        check_version("v9")
    with pytest.raises(ConfigurationError, match="choose one of"):
        create_database(tmp_path / "new.duckdb", "v9")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"text", b"\0" * 8 + b"DUCK", b"\0" * 8 + b"DUCK" * 4000])
def test_what_is_no_database_has_no_version(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert storage_version_of(tmp_path / "file") is None
    assert storage_version_of(tmp_path / "missing") is None


@pytest.mark.parametrize("version", [v for v in known_versions() if v > "v1.0.0"])
@pytest.mark.parametrize(("small", "large"), [(300, 24_000), (8_000, 8_000)])
def test_payloads_become_zstd(tmp_path: Path, version: str, small: int, large: int) -> None:
    """By default one large payload leaves a row group uncompressed, or it is DICT_FSST."""
    path = tmp_path / "new.duckdb"
    create_database(path, version)
    with duckdb.connect(str(path)) as connection:
        set_for_writing(connection)
        connection.execute(
            "CREATE TABLE t AS SELECT ('\"' || repeat(md5(n::VARCHAR), "
            f"if(n % 100 = 0, {large}, {small}) // 32) || '\"')::JSON AS event "
            "FROM range(3000) x(n)"
        )
        connection.execute("CHECKPOINT")
        assert connection.execute(COMPRESSION).fetchall() == [("ZSTD",)]


def test_settings_leave_the_lock_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    create_database(path)
    with duckdb.connect(str(path)) as connection:
        set_for_writing(connection)
        intruder = "import duckdb, sys; duckdb.connect(sys.argv[1])"
        ran = subprocess.run(
            [sys.executable, "-c", intruder, str(path)], capture_output=True, text=True, check=False
        )
    assert "Could not set lock" in ran.stderr


@pytest.fixture
def pipeline(tmp_path: Path) -> dlt.Pipeline:
    return dlt.pipeline(
        "script",
        pipelines_dir=str(tmp_path / "dl"),
        destination=duckdb_file(tmp_path / "events.duckdb"),
        dataset_name="pipedream",
    )


def test_a_script_gets_the_same_file(tmp_path: Path, pipeline: dlt.Pipeline) -> None:
    path = tmp_path / "events.duckdb"
    assert not path.exists()
    things = dlt.resource(
        [{"id": 1}], name="things", primary_key="id", write_disposition={"disposition": "merge"}
    )
    pipeline.run(things)
    assert storage_version_of(path) == STORAGE_VERSION
    assert pipeline.state["destination_type"] == "dlt.destinations.duckdb"
    assert asked(pipeline, "SELECT id FROM pipedream.things") == 1
    assert asked(pipeline, STAGED) == 0, "a second copy of what was merged"
    assert asked(pipeline, ZSTD_FROM) == 64


def test_the_users_own_settings_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = "DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG"
    monkeypatch.setenv(name, '{"zstd_min_string_length": 500}')
    pipeline = dlt.pipeline(
        "script",
        pipelines_dir=str(tmp_path / "dl"),
        destination=duckdb_file(tmp_path / "events.duckdb", storage_version="v1.4.0"),
        dataset_name="pipedream",
    )
    pipeline.run([{"id": 1}], table_name="things")
    assert asked(pipeline, ZSTD_FROM) == 500
    assert storage_version_of(tmp_path / "events.duckdb") == "v1.4.0"
