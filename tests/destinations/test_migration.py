"""A database and working folders of version 0.1: this version loads on top of them.

The archive is what users have; `tests/fixtures/make.py` tells how it was made.
"""

import json
import lzma
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from pipedream_source.resources.schema import tables
from pipedream_source.resources.schema.tables import Table
from pipedream_source.running.duckdb.storage import storage_version_of
from pipedream_source.running.maintenance.compact import Compaction, compact_database
from pipedream_source.sandbox.server import Sandbox
from tests.integration.contract import Warehouse

pytestmark = pytest.mark.skipif(duckdb.__version__ < "2", reason="DuckDB 2 made these files")
ARCHIVE = Path(__file__).parents[1] / "fixtures" / "v0.1" / "files.tar.xz"
EVENTS = "SELECT emitter_id, channel, id, event::VARCHAR FROM {} ORDER BY ALL"
KEPT = ("event_gaps", "quarantine", "component_code")


class Old(Warehouse):
    """What version 0.1 left, and the sandbox that it loaded from."""

    sandbox: Sandbox

    def load_now(self, **arguments: Any) -> Any:
        return self.load(key=self.sandbox.api_key, **arguments)

    def all_events(self) -> set[tuple]:
        found = [row for t in tables.EVENT_TABLES for row in self.rows(EVENTS.format(t.name))]
        assert len(found) == len({row[:3] for row in found}), "duplicates"
        return set(found)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def old(sandbox: Sandbox, tmp_path: Path) -> Old:
    files = tmp_path / "files"
    with lzma.open(ARCHIVE) as packed, tarfile.open(fileobj=packed) as archive:
        archive.extractall(files, filter="data")
    sandbox.restore(json.loads((files / "sandbox.json").read_bytes()))
    sandbox.clear_faults()
    warehouse = Old(tmp_path, sandbox.url)
    warehouse.sandbox = sandbox
    shutil.move(files / "events.duckdb", warehouse.database)
    return warehouse


def emit_more(sandbox: Sandbox) -> None:
    sandbox.advance(600)
    for emitter in sandbox.state()["emitters"]:
        sandbox.emit(emitter["id"], count=3, spread_s=60)


def shown(sandbox: Sandbox) -> dict[str, int]:
    """Return how many events each stream of the sandbox still has."""
    return {
        f"{emitter['id']}/{channel}": stream["retained"]
        for emitter in sandbox.state()["emitters"]
        for channel, stream in emitter["channels"].items()
    }


ALONE = pytest.param(None, False, marks=pytest.mark.chaos)
BOTH = pytest.param("pending", True, marks=pytest.mark.chaos)


@pytest.mark.parametrize(
    ("folder", "compacted"), [("settled", True), ("pending", False), ALONE, BOTH]
)
def test_a_load_on_top(old: Old, folder: str | None, compacted: bool) -> None:
    """From the working folder, from one with a package that waits, from the database alone."""
    if folder:
        shutil.copytree(old.folder / "files" / folder, old.target.folder)
    if compacted:
        assert storage_version_of(old.database) == "v2.0.0"
        done = compact_database(old.target, Compaction())
        assert storage_version_of(old.database) == done.storage_version == "v1.2.0"
        assert done.bytes_after < done.bytes_before
    events, kept = old.all_events(), {t: old.rows(f"FROM {t} ORDER BY ALL") for t in KEPT}
    version = storage_version_of(old.database)
    history = old.rows("SELECT id, name, _dlt_valid_from, _dlt_valid_to FROM sources ORDER BY ALL")
    emit_more(old.sandbox)
    report = old.load_now(fail_on_loss=True)
    assert report.exit_code == 0, report.as_dict()
    assert storage_version_of(old.database) == version == ("v1.2.0" if compacted else "v2.0.0")
    assert not report.rows_gone
    assert any("left pending" in note for note in report.notes) == (folder == "pending")
    assert events < old.all_events()
    assert {t: old.rows(f"FROM {t} ORDER BY ALL")[: len(kept[t])] for t in KEPT} == kept
    now = "SELECT id, name, _dlt_valid_from, _dlt_valid_to FROM sources ORDER BY ALL"
    assert old.rows(now) == history
    verdicts = "SELECT DISTINCT verdict FROM stream_status"
    assert old.rows(verdicts) == [("contiguous",)]
    check_complete(old)
    check_shape(old)
    assert old.load_now(fail_on_loss=True).exit_code == 0


def test_status_says_what_compact_is_for(old: Old) -> None:
    told = CliRunner().invoke(
        app, ["status", "--database", str(old.database)], catch_exceptions=False
    )
    assert told.exit_code == 0
    said = " ".join(told.stdout.split())
    assert "No DuckDB before 2.0 opens it: `pipedream-source compact` makes it v1.2.0." in said


def check_complete(old: Old) -> None:
    """Compare each stream's newest rows with what the API still shows of it."""
    stored: dict[str, int] = {}
    for emitter, channel, *_ in old.all_events():
        stored[f"{emitter}/{channel}"] = stored.get(f"{emitter}/{channel}", 0) + 1
    polled = old.rows("SELECT emitter_id || '/' || channel FROM stream_status")
    for key, retained in shown(old.sandbox).items():
        if (key,) in polled:
            assert stored.get(key, 0) >= retained, key


def check_shape(old: Old) -> None:
    """Find every table and column that this version promises."""
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = ?"
    for table in vars(tables).values():
        if isinstance(table, Table):
            columns = {row[0] for row in old.rows(query, table.name)}
            assert set(table.columns) <= columns, table.name
