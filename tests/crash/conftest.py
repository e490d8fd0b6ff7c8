"""A workspace with every kind of stream, and a nursery of commands that may die."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.nursery import Nursery
from tests.crash.scene import Scene
from tests.integration.conftest import _own_world, contract, warehouse
from tests.integration.contract import Contract, Warehouse

__all__ = ["_own_world", "contract", "warehouse"]


@pytest.fixture(scope="session")
def nursery(_own_world: None) -> Iterator[Nursery]:
    running = Nursery()
    yield running
    running.close()


def furnish(contract: Contract) -> Contract:
    for name in ("dc_a", "dc_b", "dc_c"):
        contract.stream(name)
    for channel in ("", "$errors"):
        contract.stream("p_flow", channel)
    contract.subscribe("p_flow")
    return contract


@pytest.fixture
def scene(contract: Contract, warehouse: Warehouse, nursery: Nursery) -> Scene:
    return Scene(furnish(contract), warehouse, nursery)


@pytest.fixture
def fresh_scene(tmp_path: Path, nursery: Nursery) -> Iterator[Callable[[], Scene]]:
    """Return a function that makes a new workspace and a new database."""
    with ExitStack() as running:

        def make() -> Scene:
            running.pop_all().close()
            contract = running.enter_context(Contract())
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            return Scene(furnish(contract), Warehouse(folder, contract.url), nursery)

        yield make
