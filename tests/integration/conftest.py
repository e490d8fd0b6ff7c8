"""A misbehaving server and a private place for databases, for each test that loads for real."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.contract import Contract, Warehouse

# dlt reads these; what the package would set for itself must not leak from one test to the next.
SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__INTERCEPT_SIGNALS": "false",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "RUNTIME__LOG_LEVEL": "WARNING",
}
OURS = ("PIPEDREAM_", "SOURCES__", "DLT_")


@pytest.fixture(scope="session", autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run in a folder without configuration, with a home of its own and no key around."""
    before, here = dict(os.environ), Path.cwd()
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(SETTINGS, HOME=str(home))
    os.chdir(home)
    yield
    os.chdir(here)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def contract() -> Iterator[Contract]:
    with Contract() as running:
        yield running


@pytest.fixture
def warehouse(contract: Contract, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path, contract.url)
