"""The database is locked, deleted, doubled or older than the working folder: nothing is lost."""

import base64
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from pipedream_source.running.destination.lock import hold_lock
from pipedream_source.running.destination.target import Target
from tests.integration.contract import KEY, Contract, Reply, Warehouse, source
from tests.integration.contract.command import Command

START = int(time.time() * 1000) - 3_600_000
READER = (
    "import sys, duckdb; c = duckdb.connect(sys.argv[1], read_only=True); "
    "print('reading', flush=True); sys.stdin.read()"
)


@contextmanager
def reader(database: Path) -> Iterator[None]:
    """Read the database in another process, as a notebook does."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "reading\n"
        yield
        other.communicate()


def polled(contract: Contract) -> int:
    return sum(path.endswith("event_summaries") for path, _ in contract.journal)


def test_a_reader_in_another_process_stops_no_poll(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == 0
    with reader(warehouse.database):
        for n in (1, 2):
            stream.emit_many(80, START + n * 100_000)
            report = warehouse.load(lock_wait_s=0.1)
            assert (report.exit_code, report.loaded) == (5, False)
        shutil.move(warehouse.target.folder, warehouse.folder / "aside")
        before = polled(contract)
        # Without the cursors, which the locked file holds, nothing may be polled.
        assert warehouse.load(lock_wait_s=0.1).exit_code == 5
        assert polled(contract) == before
        shutil.rmtree(warehouse.target.folder)
        shutil.move(warehouse.folder / "aside", warehouse.target.folder)
    assert len(stream.emitted) == 210 > len(stream.shown)
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.gaps("dc_a") == []
    assert warehouse.one("SELECT count(*) FROM load_runs") == (4,)


def test_a_database_deleted_between_loads_is_filled_from_whole_windows(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    warehouse.load()
    warehouse.database.unlink()
    stream.emit_many(10, START + 100_000)
    report = warehouse.load()
    assert report.exit_code == 0, report.as_dict()
    assert report.notes
    assert warehouse.events() == contract.emitted()
    warehouse.load()
    assert warehouse.events() == contract.emitted()


def test_a_fresh_folder_takes_its_cursors_from_the_database(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    warehouse.load()
    shutil.rmtree(warehouse.target.folder)
    stream.shown = []
    stream.emit_many(240, START + 100_000)
    report = warehouse.load(fail_on_loss=True)
    assert report.exit_code == 4
    ((verdict, after, *_),) = warehouse.gaps("dc_a")
    assert (verdict, after) == ("overrun", stream.emitted[49].id)
    assert len(warehouse.events()) == 150


def test_two_databases_share_no_cursor(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(50, START)
    other = warehouse.renamed("other.duckdb")
    for each in (warehouse, other, warehouse):
        assert each.load().exit_code == 0
    assert warehouse.events() == other.events() == contract.emitted()


def test_places_that_cannot_work_are_refused(contract: Contract, warehouse: Warehouse) -> None:
    twin = warehouse.renamed("pipedream.duckdb")
    text = warehouse.renamed("text.duckdb")
    text.database.write_text("hello, this is not a database\n")
    for place in (twin, text):
        assert place.load().exit_code == 2
    assert [path.name for path in warehouse.folder.iterdir()] == ["text.duckdb"]
    assert text.database.read_text() == "hello, this is not a database\n"
    assert contract.journal == []


def test_one_run_at_a_time(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(5, START)
    with hold_lock(warehouse.target.folder / "lock"):
        report = warehouse.load()
        assert report.exit_code == 75
        assert polled(contract) == 0
    (warehouse.target.folder / "lock").write_text("4194304")
    assert warehouse.load().exit_code == 0


def test_the_key_is_written_nowhere(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(5, START)
    contract.stream("dc_html").answers = lambda _: Reply(b"<p>key: " + KEY.encode() + b"</p>")
    echo = json.dumps({"error": f"no {KEY} {quote(KEY)}"}).encode()
    contract.stream("dc_echo").answers = lambda _: Reply(echo, 404)
    contract.lists["/users/me/sources"].append(source("dc_bad", name=None))
    command = Command(warehouse)
    first = command.run("load", "--json", "-vv")
    assert first.returncode == 3, first.stderr
    contract.key_works = lambda asked: asked < 12
    second = command.run("load", "--json", "-vv")
    assert second.returncode == 2, second.stderr
    outputs = [text.encode() for run in (first, second) for text in (run.stdout, run.stderr)]
    files = [path.read_bytes() for path in warehouse.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    raw = KEY.encode()
    forms = [raw, quote(KEY, safe="").encode(), quote_plus(KEY).encode()]
    forms += [base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")]
    for text in (*outputs, *files):
        assert not [form for form in forms if form in text]
    summary = json.loads(first.stdout)
    assert summary["rows"]["source_event_summaries"] == 5


@pytest.mark.parametrize("name", ["events.duckdb", "another.duckdb"])
def test_the_folder_stands_beside_its_database(tmp_path: Path, name: str) -> None:
    target = Target(database=tmp_path / name)
    assert target.folder == tmp_path / f"{name}.dlt"
