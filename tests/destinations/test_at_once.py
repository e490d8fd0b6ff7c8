"""Loads from two working folders into one dataset at once: each event stands there once."""

import importlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipedream_source import exclusive_load
from pipedream_source.exceptions import DestinationUnavailable
from tests.destinations.served import Served
from tests.integration.contract import HOUR, KEY, Contract, Warehouse
from tests.integration.contract.command import ROOT, Command

pytestmark = pytest.mark.chaos
START = int(time.time() * 1000) - HOUR
ROUNDS = 5
NAMES = "abcdefgh"
# Two merges at once overlap surely: each waits once it has seen which rows are there.
SLOW = """
CREATE FUNCTION {0}.pause() RETURNS trigger AS
$$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$ LANGUAGE plpgsql;
CREATE TRIGGER pause BEFORE INSERT ON {0}.source_event_summaries EXECUTE FUNCTION {0}.pause();
"""
AWAY = "postgresql://pipedream:any@127.0.0.1:1/postgres"


def emit(contract: Contract, names: str, n: int) -> None:
    for name in names:
        contract.stream(f"dc_{name}").emit_many(18, START + n * 100_000)


def run_command(machine: Warehouse) -> int:
    target = machine.target
    words = ["--destination", target.destination, "--dataset", target.dataset]
    done = Command(machine).run("load", *words, "--pipelines-dir", str(target.pipelines_dir))
    return done.returncode


def load_at_once(machines: tuple[Warehouse, ...]) -> list[int]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(run_command, machines))


@pytest.mark.timeout(240)
def test_by_the_command(
    contract: Contract, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both polled the same streams while the server was away, and load many packages at once."""
    machines = (served, served.twin("elsewhere"))
    emit(contract, NAMES, 0)
    assert [machine.load().exit_code for machine in machines] == [0, 0]
    with monkeypatch.context() as patched:
        patched.setenv("DESTINATION__POSTGRES__CREDENTIALS", AWAY)
        for n in range(1, ROUNDS):
            emit(contract, NAMES, n)
            assert [machine.load().exit_code for machine in machines] == [5, 5]
    served.execute(SLOW.format(served.dataset))
    assert load_at_once(machines) == [0, 0]
    assert served.events().keys() == contract.emitted().keys()
    assert served.one("SELECT count(*), count(DISTINCT emitter_id) FROM stream_status") == (8, 8)


@pytest.mark.timeout(240)
def test_by_scripts(contract: Contract, served: Served, tmp_path: Path) -> None:
    """A script that runs twice at once, with a working folder each."""
    text = (ROOT / "pipelines" / "to_postgres.py").read_text("utf-8")
    script = tmp_path / "to_postgres.py"
    script.write_text(text.replace('SCHEMA = "pipedream"', f"SCHEMA = {served.dataset!r}"))
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PIPEDREAM_API_KEY": KEY,
        "PIPEDREAM_BASE_URL": served.url,
    }

    def run(folder: str) -> int:
        there = environment | {"DLT_DATA_DIR": str(tmp_path / folder)}
        return subprocess.run([sys.executable, script], env=there, check=False).returncode

    emit(contract, NAMES, 0)
    assert run("one") == 0
    served.execute(SLOW.format(served.dataset))
    for n in (1, 2):
        emit(contract, NAMES, n)
        with ThreadPoolExecutor() as pool:
            assert list(pool.map(run, ("one", "two"))) == [0, 0]
    assert served.events().keys() == contract.emitted().keys()
    assert f"{served.dataset}_staging" not in served.schemas


def test_another_load_holds_the_dataset(contract: Contract, served: Served) -> None:
    """It is waited for; then what was polled is kept, and loaded by the next run."""
    emit(contract, "a", 0)
    assert served.load().exit_code == 0
    connection = importlib.import_module("psycopg2").connect(served.server.url)
    with connection.cursor() as cursor:
        key = f"pipedream_source {served.dataset}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (key,))
        emit(contract, "a", 1)
        report = served.load(lock_wait_s=0.1)
        assert (report.exit_code, "Another load is at work" in str(report.error)) == (5, True)
    connection.close()
    emit(contract, "a", 2)
    assert served.load(fail_on_loss=True).exit_code == 0
    assert served.events().keys() == contract.emitted().keys()


def test_a_server_that_ends_what_is_long(
    contract: Contract, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock stands idle while its load is at work, and is waited for in one statement."""
    name, server = f"db_{served.dataset}", importlib.import_module("psycopg2")
    connection = server.connect(served.server.url)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"CREATE DATABASE {name}")
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute(f"ALTER DATABASE {name} SET {setting} = '1s'")
    monkeypatch.setenv(
        "DESTINATION__POSTGRES__CREDENTIALS", replace(served.server, database=name).url
    )
    one, two = (machine.target.pipeline() for machine in (served, served.twin("elsewhere")))
    with exclusive_load(one):
        time.sleep(1.5)
        with pytest.raises(DestinationUnavailable, match="Another load"), exclusive_load(two, 1.5):
            pytest.fail("two loads at once")
    with exclusive_load(two, 1.5):
        pass


def test_staging_datasets_do_not_pile_up(contract: Contract, served: Served) -> None:
    emit(contract, "a", 0)
    assert served.load().exit_code == 0
    # As of a container, which keeps no files.
    assert served.schemas == [served.dataset]
    emit(contract, "a", 1)
    assert served.load().exit_code == 0
    own, foreign = served.schemas[1], f"{served.dataset}_staging_of_mine"
    old, young = (f"{served.dataset}_staging_{day}_0123abcd" for day in ("20200101", "20990101"))
    served.execute("; ".join(f"CREATE SCHEMA {name}" for name in (old, young, foreign)))
    emit(contract, "a", 2)
    assert served.twin("new").load(fail_on_loss=True).exit_code == 0
    assert served.schemas == sorted([served.dataset, own, young, foreign])
    assert served.events().keys() == contract.emitted().keys()
