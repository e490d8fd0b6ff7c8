"""An independent server of the contract, and a database to load it into."""

from tests.integration.contract.server import (
    HOUR,
    KEY,
    Contract,
    Event,
    Reply,
    Stream,
    make,
    source,
)
from tests.integration.contract.warehouse import Warehouse

__all__ = [
    "HOUR",
    "KEY",
    "Contract",
    "Event",
    "Reply",
    "Stream",
    "Warehouse",
    "make",
    "source",
]
