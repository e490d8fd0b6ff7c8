"""A misbehaving server and a private place for databases, for each test that loads for real."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
import typer.testing

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


@pytest.fixture(scope="session", autouse=True)
def _one_tree_of_verbs() -> Iterator[None]:
    """Build the command's verbs once a worker: that takes ten times as long as most of them run."""
    once = cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", once)
        patch.setattr(typer.testing, "_get_command", once)
        yield


@pytest.fixture
def contract() -> Iterator[Contract]:
    with Contract() as running:
        yield running


@pytest.fixture
def warehouse(contract: Contract, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path, contract.url)
