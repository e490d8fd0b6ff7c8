"""Two databases of a server: each has its cursors; an older version's folder is kept."""

import importlib
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipedream_source import PipedreamClient
from pipedream_source.exceptions import DestinationUnavailable
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load.forget import forget
from tests.destinations.served import Served
from tests.integration.contract import HOUR, KEY, Contract

pytestmark = pytest.mark.chaos
START = int(time.time() * 1000) - HOUR
CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"


@pytest.fixture
def second(served: Served) -> Served:
    """Another database, with the same working folders beside."""
    name = f"db_{served.dataset}"
    connection = importlib.import_module("psycopg2").connect(served.server.url)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    server = replace(served.server, database=name)
    return Served(served.folder, served.url, server, served.dataset)


def load(machine: Served, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str], dict]:
    monkeypatch.setenv(CREDENTIALS, machine.server.url)
    # Each run is a process of its own.
    machine.target = replace(machine.target)
    report = machine.load(fail_on_loss=True)
    return report.exit_code, report.notes, report.rows_gone


def refuse(*_: object) -> None:
    raise DestinationUnavailable("away")


def test_switching_between_them(
    contract: Contract, served: Served, second: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = contract.stream("dc_a")
    for n in range(3):
        for machine in (served, second):
            stream.emit_many(30, START + n * 200_000 + (machine is second) * 100_000)
            assert load(machine, monkeypatch) == (0, [], {})
    assert second.events().keys() == contract.emitted().keys()
    assert load(served, monkeypatch) == (0, [], {})
    assert served.events().keys() == contract.emitted().keys()


def test_the_folder_of_an_older_version(
    contract: Contract, served: Served, second: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cursors and what is pending in it go on, at the server that is asked first."""
    stream = contract.stream("dc_a")
    stream.emit_many(90, START)
    assert load(served, monkeypatch) == (0, [], {})
    stream.emit_many(90, START + 100_000)
    with monkeypatch.context() as patched:
        patched.setattr("pipedream_source.running.load.dlt_load.drain", refuse)
        assert served.load().exit_code == 5
    folder = served.target.folder
    older = served.target._folder_of("postgres")
    assert folder != older
    folder.rename(older)
    stream.emit_many(90, START + 200_000)
    code, notes, gone = load(served, monkeypatch)
    assert (code, gone, older.exists()) == (0, {}, False)
    assert notes == ["Loaded what an earlier run had left pending."]
    assert served.events().keys() == contract.emitted().keys()
    assert served.one("SELECT count(*) FROM event_gaps") == (0,)


def test_forgetting_takes_over_the_folder_of_an_older_version(
    contract: Contract, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pending in it would else be left behind by all later loads."""
    stream, other = contract.stream("dc_a"), contract.stream("dc_b")
    stream.emit_many(90, START)
    other.emit_many(3, START)
    assert load(served, monkeypatch) == (0, [], {})
    stream.emit_many(90, START + 100_000)
    with monkeypatch.context() as patched:
        patched.setattr("pipedream_source.running.load.dlt_load.drain", refuse)
        assert served.load().exit_code == 5
    stream.emit_many(90, START + 200_000)
    older = served.target._folder_of("postgres")
    served.target.folder.rename(older)
    served.target = replace(served.target)
    with PipedreamClient(KEY, base_url=served.url) as client:
        assert forget(served.target, open_session(client), "dc_b").loaded
    assert not older.exists()
    assert served.one("SELECT count(*) FROM source_event_summaries") == (183,)
    assert load(served, monkeypatch) == (0, [], {})
    assert served.events().keys() == contract.emitted().keys()


def test_no_password_is_in_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def folder(url: str) -> Path:
        monkeypatch.setenv(CREDENTIALS, url)
        return Target(destination="postgres", pipelines_dir=tmp_path).folder

    first = folder("postgresql://me:secret@a.example/events")
    assert folder("postgresql://you:other@a.example:5432/events") == first
    others = ("me:secret@a.example:5433/events", "me:secret@b.example/events", "m:s@a.example/more")
    assert len({folder(f"postgresql://{place}") for place in others} | {first}) == 4
