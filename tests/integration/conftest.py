"""A misbehaving server and a private place for databases, for each test that loads for real."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
import typer.main
import typer.testing

from pipedream_source.running.destination.target import Target
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, Command, id_of
from tests.integration.contract import Contract, Warehouse

# dlt reads these; what the package would set for itself must not leak from one test to the next.
SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__INTERCEPT_SIGNALS": "false",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "RUNTIME__LOG_LEVEL": "WARNING",
}
OURS = ("PIPEDREAM_", "SOURCES__", "DLT_")
# A payload that no JSON library of Python gives back as it is.
ODD = r"""{"b" : 1e400,
 "a":"caf\u00e9 \u001b[2J[red]x", "quote":"say \"hi\"", "twice":1, "twice":2.50, "path":"a\/b"}"""

OLD_PAYLOAD = '{"b" : 1e400,\n "a":"caf\\u00e9", "twice":1, "twice":2.50, "n":NaN}'


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


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A folder with a loaded database, and no API to ask; only read by the tests.

    The newest event of source `GitHub code` is `ODD`.
    """
    with Sandbox() as sandbox:
        command = Command(tmp_path_factory.mktemp("stored"), sandbox)
        sandbox.advance(60)
        sandbox.emit(id_of(sandbox, "GitHub code"), event_text=ODD)
        assert command.run("load").returncode == 0
        return Command(command.folder)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Command, str]]:
    """A database after two loads, and a time between its events; only copied by the tests."""
    with Sandbox() as sandbox:
        command = Command(tmp_path_factory.mktemp("world"), sandbox)
        sandbox.emit(id_of(sandbox, "GitHub code"), event_text=OLD_PAYLOAD)
        without = round(datetime.fromisoformat(sandbox.advance(1)).timestamp() * 1000)
        sandbox.emit(id_of(sandbox, "GitHub code"), row_text=f'{{"id":"{without}-7"}}')
        assert command.run("load").returncode == 0
        cutoff = sandbox.advance(3600)
        sandbox.emit(id_of(sandbox, "Newsletter signups"), count=150, spread_s=500)
        assert command.run("load").returncode == 0
        yield command, cutoff


@pytest.fixture
def target(world: tuple[Command, str], tmp_path: Path) -> Target:
    """A copy of the database, without a working folder."""
    shutil.copy(world[0].folder / DATABASE, tmp_path / DATABASE)
    return Target(database=tmp_path / DATABASE)


@pytest.fixture
def cutoff(world: tuple[Command, str]) -> datetime:
    return datetime.fromisoformat(world[1])


@pytest.fixture
def contract() -> Iterator[Contract]:
    with Contract() as running:
        yield running


@pytest.fixture
def warehouse(contract: Contract, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path, contract.url)
