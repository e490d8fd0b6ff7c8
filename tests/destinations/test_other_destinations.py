"""Destinations other than a DuckDB file: what holds there, and what a server that is away does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dlt.pipeline.pipeline import Pipeline

from pipedream_source import PipedreamClient, coverage
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.load.forget import forget
from pipedream_source.running.state import stored_states
from tests.integration.contract import HOUR, KEY, Contract, Warehouse

START = int(time.time() * 1000) - HOUR
EVENTS = "source_event_summaries"


@pytest.fixture
def files(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Parquet and JSONL files in a folder."""
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(tmp_path / "bucket"))
    folder = tmp_path / "working"
    warehouse.target = replace(warehouse.target, destination="filesystem", pipelines_dir=folder)
    return warehouse


def ids(files: Warehouse) -> list[str]:
    found = files.target.pipeline().dataset()[EVENTS].select("id").fetchall()
    return sorted(row[0] for row in found)


def test_files_in_a_folder(
    contract: Contract, files: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cannot merge, so rows must be new: cursors survive a folder that is gone."""
    # No row can be deleted either.
    monkeypatch.setattr(stored_states, "_KEPT_STATES", 1)
    stream = contract.stream("dc_a")
    stream.emit_many(90, START)
    assert files.load().exit_code == 0
    stream.emit_many(90, START + 100_000)
    assert files.load(fail_on_loss=True).exit_code == 0
    files.target.folder.rename(tmp_path / "gone")
    stream.emit_many(20, START + 200_000)
    assert files.load(fail_on_loss=True).exit_code == 0
    assert ids(files) == sorted(event.id for event in stream.emitted)


def test_an_emitter_is_forgotten_in_files_too(contract: Contract, files: Warehouse) -> None:
    contract.stream("dc_a").emit_many(3, START)
    contract.stream("dc_b").emit_many(3, START)
    assert files.load().exit_code == 0
    with PipedreamClient(KEY, base_url=contract.url) as client:
        assert forget(files.target, open_session(client), "dc_a").loaded
    contract.lists["/users/me/sources"].pop(0)
    contract.journal.clear()
    contract.stream("dc_b").emit_many(3, START + 60_000)
    assert files.load().exit_code == 0
    assert not [path for path, _ in contract.journal if "/dc_a/" in path]
    assert len(ids(files)) == 9
    proven = coverage(files.target.pipeline()).groupby("emitter_id").standing.last()
    assert dict(proven) == {"dc_a": "ended", "dc_b": "complete"}


@pytest.mark.chaos
def test_a_table_of_files_that_is_gone_is_told_and_read_again(
    contract: Contract, files: Warehouse, tmp_path: Path
) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(130, START)
    assert files.load().exit_code == 0
    for path in (tmp_path / "bucket" / "pipedream" / EVENTS).iterdir():
        path.unlink()
    report = files.load(fail_on_loss=True)
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: 100})
    assert ids(files) == sorted(event.id for event in stream.shown)
    assert files.load(fail_on_loss=True).exit_code == 0


class DriverError(Exception):
    """As a driver raises it, unknown to dlt."""


def test_a_driver_that_raises_its_own_errors(
    contract: Contract, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dlt opens connections outside of what wraps errors: psycopg2's came through."""
    stream = contract.stream("dc_a")
    stream.emit_many(90, START)
    assert warehouse.load().exit_code == 0

    @contextmanager
    def refused(*_: object) -> Iterator[None]:
        raise DriverError("connection to server at 127.0.0.1 failed: Connection refused")
        yield

    stream.emit_many(90, START + 100_000)
    with monkeypatch.context() as patched:
        for name in ("sql_client", "destination_client"):
            patched.setattr(Pipeline, name, refused)
        patched.setattr(Pipeline, "load", lambda self: refused().__enter__())
        warehouse.target.remember("")
        report = warehouse.load()
        assert (report.exit_code, "Connection refused" in str(report.error)) == (5, True)
    stream.emit_many(90, START + 200_000)
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    assert warehouse.events() == contract.emitted()
