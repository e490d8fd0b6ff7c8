"""A list that fails closes nothing, and what it named before is polled on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pytest

from tests.faults.fault import START
from tests.faults.lists import LISTS, ListFault, Listing
from tests.faults.world import Load, Site

EVERY_DAY = [fault for fault in LISTS if not fault.is_long]
OPEN = "SELECT id FROM pipedream.sources WHERE _dlt_valid_to IS NULL"


class Shelf(Site):
    """Workspaces that each have a list with a fault of its own; three loads.

    Attributes:
        before, broken, healed: the loads.
        listed: the sources that the table held as current, after each load.
    """

    def __init__(self, folder: Path, faults: Iterable[ListFault]) -> None:
        super().__init__(folder)
        self.listings = {fault.name: Listing(self.contract, fault.name) for fault in faults}
        self.listed: list[list[str]] = []
        self.before = self._emit_and_load(1)
        for fault in faults:
            fault.inject(self.listings[fault.name])
        self.broken = self._emit_and_load(2)
        self.contract.broken.clear()
        self.healed = self._emit_and_load(3)

    def _emit_and_load(self, number: int) -> Load:
        for stream in self.contract.streams.values():
            stream.emit(f"{START + number}-0")
        load = self.load()
        with duckdb.connect(str(self.database), read_only=True) as connection:
            self.listed.append(sorted(row[0] for row in connection.execute(OPEN).fetchall()))
        return load


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    found = Shelf(tmp_path_factory.mktemp("lists"), EVERY_DAY)
    yield found
    found.close()


@pytest.mark.parametrize("fault", EVERY_DAY, ids=[fault.name for fault in EVERY_DAY])
def test_a_list_among_others(shelf: Shelf, fault: ListFault) -> None:
    examine(shelf, fault)


# The table of sources is not written at all while any list fails: each has to fail alone, too.
@pytest.mark.chaos
@pytest.mark.parametrize("fault", LISTS, ids=[fault.name for fault in LISTS])
def test_a_list_alone(tmp_path: Path, fault: ListFault) -> None:
    alone = Shelf(tmp_path, [fault])
    try:
        assert alone.broken.code == (3 if fault.told else 0), alone.broken.err
        examine(alone, fault)
    finally:
        alone.close()


def test_the_loads_as_a_whole(shelf: Shelf) -> None:
    assert (shelf.before.code, shelf.broken.code, shelf.healed.code) == (0, 3, 0)


def examine(shelf: Shelf, fault: ListFault) -> None:
    listing = shelf.listings[fault.name]
    failures = shelf.broken.report["failures"]
    assert (listing.key in failures) == bool(fault.told)
    assert fault.told in failures.get(listing.key, "")
    for listed in shelf.listed:
        assert set(listing.emitters) <= set(listed), "closed, although only the list failed"
    for emitter in listing.emitters:
        for number, load in enumerate((shelf.before, shelf.broken, shelf.healed), 1):
            ids = [event_id for _, event_id in load.events(emitter)]
            assert sorted(ids) == [f"{START + n}-0" for n in range(1, number + 1)]
    assert not any("or 1=1" in path or ".." in path for path, _ in shelf.contract.journal)
