"""What the integration tests stand on: a server that obeys the contract, and a database."""

from tests.integration.conftest import _own_world, contract, warehouse

__all__ = ["_own_world", "contract", "warehouse"]
