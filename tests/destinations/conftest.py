"""What the integration tests stand on: a server that obeys the contract, and a database."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dbt.postgres import NoServer, Server, postgres
from tests.destinations.served import Served
from tests.integration.conftest import _own_world, contract, warehouse
from tests.integration.contract import Contract

__all__ = ["_own_world", "contract", "warehouse"]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A Postgres of this machine, or the reason why there is none."""
    if importlib.util.find_spec("psycopg2") is None:
        pytest.skip("psycopg2 is not installed: make extras")
    try:
        with postgres() as running:
            yield running
    except NoServer as why:
        pytest.skip(str(why))


@pytest.fixture
def served(
    contract: Contract, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Served:
    """A schema of the server that nobody else uses."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    taken = tmp_path.name.lower().replace("-", "_")
    return Served(tmp_path, contract.url, server, f"d_{taken}"[:40])
