"""What these tests stand on: dbt, and a workspace that it was run on after each of five loads."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dbt.project import Dbt, running_dbt
from tests.dbt.world import World, copied, five_loads
from tests.integration.conftest import _own_world
from tests.made_once import made_once

__all__ = ["_own_world"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip where dbt is not installed: it is an extra."""
    if importlib.util.find_spec("dbt.adapters.duckdb") is None:
        reason = "dbt is not installed: make extras, or pip install 'pipedream-source[dbt]'"
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory, _own_world: None) -> Iterator[Dbt]:
    with running_dbt(tmp_path_factory.mktemp("dbt")) as running:
        yield running


@pytest.fixture(scope="session")
def world(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> World:
    made = made_once(tmp_path_factory, "world", lambda folder: five_loads(folder, dbt))
    own = tmp_path_factory.mktemp("world") / "own"
    return replace(made, database=copied(made.database, own))
