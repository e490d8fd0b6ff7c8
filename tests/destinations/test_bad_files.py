"""A path that is no database is refused before anything is asked, made or overwritten."""

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.integration.contract import HOUR, Contract, Warehouse
from tests.integration.contract.command import Command

START = int(time.time() * 1000) - HOUR
HEADER, WORD = 4096, 2**64 - 1


def database(path: Path) -> bytes:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT range AS n FROM range(1000)")
    return path.read_bytes()


def newer(path: Path) -> None:
    """Raise the storage version in the header, and its checksum with it."""
    head = bytearray(database(path))
    head[12:20] = struct.pack("<Q", 5000)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", head[8:HEADER]):
        checksum ^= word * 0xBF58476D1CE4E5B9 & WORD
    head[:8] = struct.pack("<Q", checksum)
    path.write_bytes(head)


def damaged(path: Path) -> None:
    content = bytearray(database(path))
    content[3 * HEADER + 100 : 3 * HEADER + 8000] = bytes(7900)
    path.write_bytes(content)


def cut(length: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(database(path)[:length])

    return write


def circle(path: Path) -> None:
    path.symlink_to(path)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "newer": (newer, "newer version of DuckDB"),
    "damaged": (damaged, "Corrupt database file"),
    "cut in the header": (cut(100), "cannot be opened"),
    "cut after the header": (cut(HEADER), "cannot be opened"),
    "text": (lambda path: path.write_text("id,name\n1,hello there\n"), "not a DuckDB database"),
    "empty": (Path.touch, "is empty"),
    "folder": (Path.mkdir, "is a folder"),
    "pipe": (os.mkfifo, "not a regular file"),
    "circle of links": (circle, "in a circle"),
}


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("kind", BAD)
def test_it_is_left_as_it_is(contract: Contract, warehouse: Warehouse, kind: str) -> None:
    make, told = BAD[kind]
    make(warehouse.database)
    before = snapshot(warehouse.folder)
    report = warehouse.load()
    assert (report.exit_code, told in str(report.error)) == (2, True), report.error
    assert snapshot(warehouse.folder) == before
    assert contract.journal == []


@pytest.mark.parametrize("name", ["a'b", "a%20b", "a\\b"])
def test_a_path_that_dlt_cannot_work_in(
    contract: Contract, warehouse: Warehouse, name: str, tmp_path: Path
) -> None:
    """Before, such a load failed after it had polled, at each run."""
    stream = contract.stream("dc_a")
    stream.emit_many(5, START)
    odd = warehouse.renamed(f"{name}.duckdb")
    report = odd.load()
    assert (report.exit_code, "choose another database path" in str(report.error)) == (2, True)
    assert (list(warehouse.folder.iterdir()), contract.journal) == ([], [])


def test_a_name_that_is_too_long_is_told_in_a_message(
    contract: Contract, warehouse: Warehouse
) -> None:
    name = "x" * 300 + ".duckdb"
    done = Command(warehouse.renamed(name)).run("load")
    assert (done.returncode, "cannot be reached" in " ".join(done.stderr.split())) == (2, True)
    assert "Traceback" not in done.stderr
    assert list(warehouse.folder.iterdir()) == []


ODD = ("événements 日本 🎉", "my events ; DROP TABLE x --", 'a"b', "a*[b]{c}?d=1#e", "-x", "temp")


@pytest.mark.parametrize(
    "name", [ODD[0], *(pytest.param(name, marks=pytest.mark.chaos) for name in ODD[1:])]
)
def test_odd_names_are_names(contract: Contract, warehouse: Warehouse, name: str) -> None:
    contract.stream("dc_a").emit_many(5, START)
    odd = warehouse.renamed(f"{name}.duckdb")
    assert odd.load().exit_code == 0
    contract.stream("dc_a").emit_many(5, START + 100_000)
    assert odd.load().exit_code == 0
    assert odd.events() == contract.emitted()


@pytest.mark.chaos
def test_a_link_to_a_database_leads_to_the_same_rows(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.stream("dc_a").emit_many(5, START)
    assert warehouse.load().exit_code == 0
    # It has a working folder of its own, as another machine would.
    link = warehouse.renamed("link.duckdb")
    link.database.symlink_to(warehouse.database)
    contract.stream("dc_a").emit_many(5, START + 100_000)
    assert link.load().exit_code == 0
    contract.stream("dc_a").emit_many(95, START + 200_000)
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    assert warehouse.events() == contract.emitted()
