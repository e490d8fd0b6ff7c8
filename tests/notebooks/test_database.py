"""Which file is read, and what is said of one that cannot be."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from notebooks.reading.database import Busy, Database, NotReadable, candidates, choose
from notebooks.reading.streams import provenance, streams
from notebooks.reading.tables import EXPECTED
from tests.notebooks.databases import writing


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPEDREAM_DATABASE", raising=False)


def other(file: Path) -> Path:
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)")
    return file


def test_the_variable_comes_first_then_the_newest_of_ours(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other(tmp_path / "newest-but-other.duckdb")
    (tmp_path / "text.duckdb").write_text("no database")
    (tmp_path / "folder.duckdb").mkdir()
    for age, name in enumerate(("new", "old")):
        file = tmp_path / f"{name}.duckdb"
        file.write_bytes(empty.read_bytes())
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    assert [file.name for file in candidates(tmp_path)] == ["new.duckdb", "old.duckdb"]
    monkeypatch.setenv("PIPEDREAM_DATABASE", str(tmp_path / "old.duckdb"))
    assert [file.name for file in candidates(tmp_path)] == ["old.duckdb", "new.duckdb"]
    monkeypatch.chdir(tmp_path)
    # `make demo` may have made one beside the notebooks, which comes with its whole path.
    named, *found = candidates()
    assert named == tmp_path / "old.duckdb"
    assert [str(file) for file in found if not file.is_absolute()] == ["new.duckdb", "old.duckdb"]
    assert choose("", str(tmp_path / "old.duckdb")).path.name == "old.duckdb"
    assert choose(f" {tmp_path / 'new.duckdb'} ", "old.duckdb").path.name == "new.duckdb"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.duckdb", "does not exist"),
        (".", "is a folder"),
        ("other.duckdb", "holds no dataset with loaded streams"),
        ("text.duckdb", r"cannot be read: .* Type the path of a file"),
    ],
)
def test_a_file_that_will_not_do(name: str, said: str, tmp_path: Path) -> None:
    other(tmp_path / "other.duckdb")
    (tmp_path / "text.duckdb").write_text("no database")
    with pytest.raises(NotReadable, match=said):
        Database.find(tmp_path / name)


def test_a_damaged_file_in_a_folder_named_lock(tmp_path: Path) -> None:
    """The name of a folder does not make a file look as if a writer held it."""
    folder = tmp_path / "Could not set lock"
    folder.mkdir()
    whole = other(folder / "events.duckdb")
    whole.write_bytes(whole.read_bytes()[:4096])
    with pytest.raises(NotReadable, match="cannot be read") as raised:
        Database.find(whole, patience_s=0)
    assert not isinstance(raised.value, Busy)


def test_no_file_at_all() -> None:
    with pytest.raises(NotReadable, match=r"Type the path .* `PIPEDREAM_DATABASE` .* `make demo`"):
        choose("", None)


@pytest.fixture
def written_to(empty: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a file that another process holds for writing."""
    file = tmp_path / "held.duckdb"
    file.write_bytes(empty.read_bytes())
    line = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", line, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin
    assert holder.stdout
    holder.stdout.readline()
    yield file
    holder.stdin.close()
    holder.stdout.close()
    holder.wait(timeout=60)


def test_a_file_that_is_written_to(written_to: Path) -> None:
    with pytest.raises(Busy, match="is being written by another process: run this again"):
        Database.find(written_to, patience_s=0)
    assert written_to in candidates(written_to.parent)


def test_tables_that_were_never_loaded_are_read_as_empty(empty: Path, tmp_path: Path) -> None:
    file = tmp_path / "part.duckdb"
    file.write_bytes(empty.read_bytes())
    with writing(file) as connection:
        for table in ("sources", "workflows", "workflow_errors", "load_runs", "users"):
            connection.execute(f"DROP TABLE {table}")
    database = Database.find(file)
    assert "**0 events**" in provenance(database)
    assert database.frame("SELECT * FROM detailed_errors").empty
    assert database.frame("SELECT * FROM usage_snapshots").empty


def test_any_name_of_a_dataset(tmp_path: Path) -> None:
    file = tmp_path / "named.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute('CREATE SCHEMA "my ""odd"", \'set\'"')
        table = '"my ""odd"", \'set\'".stream_status'
        connection.execute(f"CREATE TABLE {table} (last_polled_at TIMESTAMPTZ)")
        connection.execute(f"INSERT INTO {table} VALUES ('2026-01-02 03:04:05+00')")
    database = Database.find(file)
    assert database.dataset == "my \"odd\", 'set'"
    assert str(database.as_of()) == "2026-01-02 03:04:05+00:00"


def test_an_id_from_the_last_day_of_the_calendar(tmp_path: Path) -> None:
    pytest.importorskip("marimo", reason="notebooks need `make extras`")
    from notebooks.reading import events, widgets

    file = tmp_path / "last.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "CREATE SCHEMA pipedream; SET schema = 'pipedream'; SET TimeZone = 'UTC'"
        )
        connection.execute(
            "CREATE TABLE stream_status AS SELECT TIMESTAMPTZ '9999-12-30' AS last_polled_at"
        )
        connection.execute(
            f"CREATE TABLE source_event_summaries ({EXPECTED['source_event_summaries']})"
        )
        connection.execute(
            "INSERT INTO source_event_summaries BY NAME SELECT 'dc_1' AS emitter_id, "
            "'' AS channel, '253402300799000-0' AS id, '1' AS event, "
            "TIMESTAMPTZ '9999-12-31 12:00' AS emitted_at"
        )
    database = Database.find(file)
    assert "(1.5 days after it)" in provenance(database)
    one = streams(database).iloc[0]
    picked = widgets.selection(one, widgets.event_filters(one["first_at"], one["last_at"]))
    assert events.summary(database, picked)["events"] == 1


def test_errors_whose_payloads_were_pruned(demo: Path, tmp_path: Path) -> None:
    """With the marts they stay in their groups; without, they run too."""
    pytest.importorskip("marimo", reason="notebooks need `make extras`")
    from notebooks.reading import errors, frames
    from tests.notebooks.running import run

    file = tmp_path / "pruned.duckdb"
    file.write_bytes(demo.read_bytes())
    before = errors.groups(Database.find(file), None)
    told = Database.find(file).frame(
        "SELECT emitter_id || ':' || channel || ':' || id AS event_key, workflow_id, "
        "step AS cell_id, told_name AS workflow_name, code AS error_code, "
        "trigger_id AS original_emitter_id, message AS error_message, top_frame "
        "FROM detailed_errors"
    )
    with writing(file) as connection:
        connection.execute("UPDATE workflow_errors SET event = NULL, event_state = 'pruned'")
    cells = run("errors", file)
    assert (len(cells["groups"]), cells["groups"]["errors"].sum()) == (1, 263)
    assert "`prune` moved it to an archive" in cells["command"][1]
    with writing(file) as connection:
        connection.register("told", told)
        connection.execute("CREATE SCHEMA analytics")
        connection.execute("CREATE TABLE analytics.fct_events AS SELECT event_key FROM told")
        connection.execute("CREATE TABLE analytics.fct_workflow_errors AS FROM told")
    pd.testing.assert_frame_equal(errors.groups(Database.find(file), None), before)
    # What was loaded comes first in the list of tables.
    schemas = frames.tables(Database.find(file))["schema"]
    assert list(schemas.unique()) == ["pipedream", "analytics"]


def test_marts_are_used_and_their_age_is_told(demo: Path, tmp_path: Path) -> None:
    from notebooks.reading import errors

    file = tmp_path / "marts.duckdb"
    file.write_bytes(demo.read_bytes())
    fingerprint = errors.groups(Database.find(demo), None)["fingerprint"].iloc[-1]
    with writing(file) as connection:
        connection.execute("CREATE SCHEMA analytics")
        connection.execute(
            "CREATE TABLE analytics.fct_events AS SELECT _dlt_id AS event_key FROM workflow_emits"
        )
        connection.execute(
            "CREATE TABLE analytics.fct_error_groups AS "
            "SELECT $1 AS fingerprint, now() AS came_back_at, true AS is_back",
            [fingerprint],
        )
    database = Database.find(file)
    assert database.marts == "analytics"
    assert "in `analytics` **lack the newest 2,067 events**" in provenance(database)
    first = errors.groups(database, None).iloc[0]
    assert tuple(first[["standing", "fingerprint"]]) == ("back", fingerprint)
    with writing(file) as connection:
        connection.execute("INSERT INTO analytics.fct_events SELECT 'x' FROM range(2067)")
    assert "The dbt marts in `analytics` are up to date." in provenance(database)
