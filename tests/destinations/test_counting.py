"""Rows are counted where that is free or due, and deleted ones are noticed all the same."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from pipedream_source.running.state import row_counts
from tests.dbt.postgres import NoServer, Server, postgres
from tests.integration.contract import HOUR, Contract, Warehouse

START = int(time.time() * 1000) - HOUR
EVENTS = "source_event_summaries"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg2", reason="needs psycopg2: `make extras`")
    try:
        with postgres() as running:
            yield running
    except NoServer as why:
        pytest.skip(str(why))


def ask(server: Server, statement: str) -> Any:
    connection = pytest.importorskip("psycopg2").connect(server.url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


@pytest.fixture
def stored(
    contract: Contract,
    warehouse: Warehouse,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Warehouse:
    """One stream of ninety events in a schema of its own, counted once."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    warehouse.target = replace(
        warehouse.target,
        destination="postgres",
        dataset=f"events_{time.time_ns()}",
        pipelines_dir=tmp_path / "working",
    )
    contract.stream("dc_a").emit_many(90, START)
    report = warehouse.load()
    assert report.exit_code == 0, report.as_dict()
    return warehouse


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Up to which load tables were counted."""
    calls: list[str] = []
    count = row_counts._count

    def noted(sql: Any, load_id: str) -> dict[str, int]:
        calls.append(load_id)
        return count(sql, load_id)

    monkeypatch.setattr(row_counts, "_count", noted)
    return calls


def ids(server: Server, stored: Warehouse) -> list[str]:
    found = ask(server, f"SELECT id FROM {stored.target.dataset}.{EVENTS}")
    return sorted(row[0] for row in found)


def emitted(contract: Contract) -> list[str]:
    return sorted(event.id for event in contract.stream("dc_a").emitted)


def change(server: Server, stored: Warehouse, statement: str) -> None:
    """Change rows, and wait until the server's statistics tell of it."""
    marks = f"{stored.target.dataset}.{EVENTS}"
    before = ask(server, f"SELECT pg_stat_get_tuples_deleted('{marks}'::regclass)")
    ask(server, statement.format(events=marks))
    for _ in range(100):
        if not statement.startswith("DELETE") or before != ask(
            server, f"SELECT pg_stat_get_tuples_deleted('{marks}'::regclass)"
        ):
            return
        time.sleep(0.05)
    raise AssertionError("the statistics do not tell of it")


def test_loads_to_a_server_count_nothing(
    contract: Contract, server: Server, stored: Warehouse, counted: list[str]
) -> None:
    """Each load counted every event table twice."""
    stream = contract.stream("dc_a")
    for n in range(1, 4):
        stream.emit_many(10, START + n * 100_000)
        assert stored.load(fail_on_loss=True).exit_code == 0
    assert counted == []
    assert ids(server, stored) == emitted(contract)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM {events} WHERE id < '{id}'", "TRUNCATE {events}"]
)
def test_rows_deleted_on_a_server(
    contract: Contract, server: Server, stored: Warehouse, counted: list[str], statement: str
) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(5, START + 100_000)
    assert stored.load().exit_code == 0
    made = statement.replace("{id}", stream.emitted[40].id)
    change(server, stored, made)
    stream.emit_many(5, START + 200_000)
    report = stored.load(fail_on_loss=True)
    expected = 40 if "DELETE" in statement else 90
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: expected}), report.as_dict()
    assert ids(server, stored) == emitted(contract)
    assert len(counted) == 2
    assert stored.load(fail_on_loss=True).exit_code == 0
    assert len(counted) == 2


def test_rows_deleted_that_were_loaded_since_the_last_count(
    contract: Contract, server: Server, stored: Warehouse
) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(5, START + 100_000)
    assert stored.load().exit_code == 0
    change(server, stored, f"DELETE FROM {{events}} WHERE id = '{stream.emitted[-1].id}'")
    report = stored.load()
    assert any("The server tells of rows deleted" in note for note in report.notes)
    assert ids(server, stored) == emitted(contract)
    assert stored.load().notes == []


def test_once_a_day_all_is_counted(
    contract: Contract, stored: Warehouse, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a server that keeps no statistics."""
    monkeypatch.setattr(row_counts, "_marks", lambda *_: {})
    noted = json.loads(stored.target.holdings.read_bytes()) | {"marks": {}}
    stored.target.holdings.write_text(json.dumps(noted))
    assert stored.load().exit_code == 0
    assert counted == []
    stored.target.holdings.write_text(json.dumps(noted | {"counted_at": time.time() - 90_000}))
    assert stored.load().exit_code == 0
    assert len(counted) == 2
    assert stored.load().exit_code == 0
    assert len(counted) == 2


def test_a_note_of_an_older_version_is_compared_once(
    contract: Contract, server: Server, stored: Warehouse
) -> None:
    noted = json.loads(stored.target.holdings.read_bytes())
    older = {"load_id": noted["load_id"], "rows": noted["rows"]}
    stored.target.holdings.write_text(json.dumps(older))
    change(server, stored, "DELETE FROM {events}")
    report = stored.load(fail_on_loss=True)
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: 90})
    assert ids(server, stored) == emitted(contract)


def test_a_file_that_nobody_wrote_to_is_not_asked(
    contract: Contract,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the note at the end counts, from metadata."""
    statements: list[str] = []
    execute: Callable[..., Any] = DuckDbSqlClient.execute_sql

    def noted(self: Any, sql: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(str(sql))
        return execute(self, sql, *args, **kwargs)

    monkeypatch.setattr(DuckDbSqlClient, "execute_sql", noted)
    stream = contract.stream("dc_a")
    for n in range(2):
        statements.clear()
        stream.emit_many(10, START + n * 100_000)
        assert warehouse.load().exit_code == 0
    counts = [each for each in statements if "count(*)" in each]
    # Those of what a load leaves; the others bound the tables of runs.
    left = [each for each in counts if "_dlt_load_id <=" in each]
    assert (len(left), len(counts)) == (len(row_counts._KEPT), len(row_counts._KEPT) + 2)
