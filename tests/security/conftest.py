"""The private world and the misbehaving server of the integration tests."""

from tests.integration import conftest as integration

own_world = integration._own_world
contract = integration.contract
warehouse = integration.warehouse
