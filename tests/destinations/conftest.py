"""What the integration tests stand on: a server that obeys the contract, and a database."""

from pathlib import Path

import pytest

from tests.dbt.postgres import Server, server
from tests.destinations.served import Served
from tests.integration.conftest import _own_world, contract, warehouse
from tests.integration.contract import Contract

__all__ = ["_own_world", "contract", "server", "warehouse"]


@pytest.fixture
def served(
    contract: Contract, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Served:
    """A schema of the server that nobody else uses."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    taken = tmp_path.name.lower().replace("-", "_")
    return Served(tmp_path, contract.url, server, f"d_{taken}"[:40])
