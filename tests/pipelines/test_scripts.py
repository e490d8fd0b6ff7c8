"""Each script in `pipelines/` is copied, edited as its reader would, and run on the sandbox."""

import importlib.util
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from pipedream_source import PipedreamClient
from pipedream_source.sandbox import Sandbox
from tests.dbt.postgres import NoServer, postgres
from tests.integration.command import ROOT, Command, id_of

SCRIPTS = ROOT / "pipelines"
TABLES = ("source_event_summaries", "workflow_emits", "workflow_errors")


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path) -> Command:
    return Command(tmp_path, sandbox)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def script(command: Command, name: str, **edits: Any) -> Path:
    """Copy a script and set some of its constants, as a user does."""
    text = (SCRIPTS / f"{name}.py").read_text("utf-8")
    for constant, value in edits.items():
        (line,) = re.findall(rf"^{constant}\b[^=\n]* = .*$", text, re.MULTILINE)
        text = text.replace(line, f"{line.partition(' = ')[0]} = {value!r}")
    copied = command.folder / f"{name}.py"
    copied.write_text(text, "utf-8")
    return copied


def run(command: Command, copied: Path, code: int = 0, **environment: str) -> str:
    done = command.script(copied, **environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def stored(database: Path, table: str, dataset: str = "pipedream") -> tuple[int, int]:
    """How many rows, and how many different events."""
    query = f"SELECT count(*), count(DISTINCT (emitter_id, channel, id)) FROM {dataset}.{table}"
    ((all_rows, different),) = rows(database, query)
    return all_rows, different


def test_each_is_short_and_in_the_table() -> None:
    table = (SCRIPTS / "README.md").read_text("utf-8")
    for path in SCRIPTS.glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) < 60, path.name
        assert f"[{path.name}]({path.name})" in table
    for path in (SCRIPTS / "schedules").iterdir():
        assert f"schedules/{path.name})" in table


def test_load_everything(command: Command, sandbox: Sandbox) -> None:
    copied = script(command, "load_everything")
    database = command.folder / "pipedream_events.duckdb"
    assert run(command, copied) == "0 gaps so far\n"
    before = {table: stored(database, table)[0] for table in TABLES}
    assert all(before.values())
    emitted = len(sandbox.emit(id_of(sandbox, "Deploy hooks"), count=7))
    run(command, copied)
    assert stored(database, TABLES[0]) == (before[TABLES[0]] + emitted,) * 2


def test_only_errors(command: Command, sandbox: Sandbox) -> None:
    copied = script(command, "only_errors")
    database = command.folder / "pipedream_errors.duckdb"
    first = run(command, copied, code=1)
    (held,) = rows(database, "SELECT count(*) FROM pipedream.workflow_errors")
    counts = [int(line.split()[0].replace(",", "")) for line in first.splitlines()]
    assert (sum(counts), counts) == (held[0], sorted(counts, reverse=True))
    assert run(command, copied) == ""
    names = {name for (name,) in rows(database, "SELECT table_name FROM information_schema.tables")}
    assert "source_event_summaries" not in names
    failing = rows(database, "SELECT any_value(emitter_id) FROM pipedream.workflow_errors")[0][0]
    error = {"error": {"code": "ERR_NEW", "msg": "as nobody has seen it"}}
    sandbox.emit(failing, channel="$errors", count=2, event=error)
    assert run(command, copied, code=1) == f"    2  {failing}  ERR_NEW  as nobody has seen it\n"


@pytest.mark.skipif(importlib.util.find_spec("dbt") is None, reason="needs dbt: `make extras`")
def test_load_then_dbt(command: Command) -> None:
    project = command.folder / "models_of_mine"
    (project / "models").mkdir(parents=True)
    for name, text in {
        "dbt_project.yml": "name: mine\nprofile: mine\nmodel-paths: [models]\n",
        "profiles.yml": "mine:\n  target: it\n  outputs:\n    it:\n      type: duckdb\n"
        "      path: \"{{ env_var('PIPEDREAM_DATABASE') }}\"\n      schema: mine\n",
        "models/errors.sql": "select count(*) as errors from pipedream.workflow_errors\n",
    }.items():
        (project / name).write_text(text, "utf-8")
    copied = script(command, "load_then_dbt", PROJECT=str(project))
    run(command, copied, DBT_SEND_ANONYMOUS_USAGE_STATS="false")
    database = command.folder / "pipedream_events.duckdb"
    assert rows(database, "FROM mine.errors") == [(stored(database, "workflow_errors")[0],)]


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A Postgres of this machine, or the reason why there is none."""
    pytest.importorskip("psycopg2", reason="needs psycopg2: `make extras`")
    try:
        with postgres() as running:
            yield running
    except NoServer as why:
        pytest.skip(str(why))


def test_to_postgres(command: Command, sandbox: Sandbox, server: Any) -> None:
    copied = script(command, "to_postgres")
    place = {"DESTINATION__POSTGRES__CREDENTIALS": server.url}

    def counts() -> dict[str, int]:
        lines = [line.split() for line in run(command, copied, **place).splitlines()]
        return {table: int(count.replace(",", "")) for count, table in lines}

    first = counts()
    assert set(first) == {*TABLES, "event_gaps"}
    emitted = len(sandbox.emit(id_of(sandbox, "Deploy hooks"), count=9))
    # A new machine: the cursors come from the server.
    shutil.rmtree(command.folder / "data")
    assert counts() == first | {TABLES[0]: first[TABLES[0]] + emitted}


def files(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def lake(command: Command, table: str) -> str:
    return f"read_parquet('{command.folder / 'lake' / 'pipedream' / table}/*.parquet')"


def test_to_parquet(command: Command, sandbox: Sandbox) -> None:
    copied = script(command, "to_parquet")
    first = run(command, copied)
    events = lake(command, TABLES[0])
    query = f"SELECT count(*), count(DISTINCT (emitter_id, channel, id)) FROM {events}"
    ((count, different),) = files(query)
    assert count == different
    assert f"{count:10,}  {TABLES[0]}\n" in first
    emitted = len(sandbox.emit(id_of(sandbox, "Deploy hooks"), count=11))
    run(command, copied)
    assert files(query) == [(count + emitted,) * 2]
    status = "SELECT count(*), count(DISTINCT (emitter_id, channel)) FROM "
    ((polls, streams),) = files(status + lake(command, "stream_status"))
    assert polls == 2 * streams


def test_an_interrupted_load_writes_the_same_files_again(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it had been killed after its files were there and before dlt noted it."""
    copied = script(command, "to_parquet")
    working = command.folder / "data" / "pipelines"
    before = command.folder / "before"
    load = dlt.Pipeline.load

    def killed(pipeline: dlt.Pipeline, *args: Any, **kwargs: Any) -> Any:
        shutil.copytree(working, before)
        load(pipeline, *args, **kwargs)
        raise SystemExit(137)

    with monkeypatch.context() as patched:
        patched.setattr(dlt.Pipeline, "load", killed)
        run(command, copied, code=137)
    shutil.rmtree(working)
    before.rename(working)
    written = sorted((command.folder / "lake" / "pipedream" / TABLES[0]).iterdir())
    run(command, copied)
    assert sorted((command.folder / "lake" / "pipedream" / TABLES[0]).iterdir()) == written
    query = "SELECT count(*), count(DISTINCT (emitter_id, channel, id)) FROM "
    ((count, different),) = files(query + lake(command, TABLES[0]))
    assert count == different > 1_000


def test_to_delta_tables(command: Command) -> None:
    delta_table = pytest.importorskip("deltalake").DeltaTable
    copied = script(command, "to_parquet", TABLE_FORMAT="delta")
    run(command, copied)
    run(command, copied, SOURCES__PIPEDREAM__FULL_WINDOW="true")

    def columns(table: str, *names: str) -> list[tuple[Any, ...]]:
        found = delta_table(command.folder / "lake" / "pipedream" / table).to_pyarrow_table()
        return list(zip(*(found[name].to_pylist() for name in names), strict=True))

    events = columns(TABLES[0], "emitter_id", "channel", "id")
    assert len(events) == len(set(events)) > 1_000
    streams = columns("stream_status", "emitter_id", "channel")
    assert len(streams) == len(set(streams)) > 10


def test_several_workspaces(command: Command, sandbox: Sandbox) -> None:
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url) as client:
        orgs = [org["id"] for org in client.me()["orgs"]]
        listed = {org_id: {s["id"] for s in client.sources(org_id)} for org_id in (None, *orgs)}
    found = dict(zip(("acme", "growth"), orgs, strict=True))
    copied = script(command, "several_workspaces", WORKSPACES=found)
    database = command.folder / "pipedream_workspaces.duckdb"
    for _ in range(2):
        run(command, copied, PIPEDREAM_API_KEY_GROWTH=sandbox.api_key)
        for name, org_id in found.items():
            query = f"FROM pipedream_{name}.sources SELECT id WHERE _dlt_valid_to IS NULL"
            assert {row[0] for row in rows(database, query)} == listed[None] | listed[org_id]
            count, different = stored(database, TABLES[0], f"pipedream_{name}")
            assert count == different > 0
    done = command.script(copied, PIPEDREAM_API_KEY_ACME="wrong")
    assert done.returncode == 1
    assert done.stderr.startswith("acme: ")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["growth"]


def test_a_list_that_failed_is_told(
    command: Command, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("pipedream_source"), "propagate", True)
    run(command, script(command, "several_workspaces", WORKSPACES={"acme": "o_nosuch"}))
    for name in ("o_nosuch/sources", "o_nosuch/subscriptions", "workspaces/o_nosuch"):
        assert f"{name} failed: " in caplog.text


def test_keep_history(command: Command) -> None:
    """With a time instead of a period, as the sandbox's clock is its own."""
    database = command.folder / "pipedream_events.duckdb"
    assert command.run("load", "--quiet").returncode == 0
    ((middle,),) = rows(database, f"SELECT median(emitted_at)::TEXT FROM pipedream.{TABLES[0]}")
    kept = f"emitted_at >= '{middle}' OR event IS NULL"
    query = f"SELECT count(*), count(*) FILTER ({kept}) FROM pipedream.{TABLES[0]}"
    ((count, before),) = rows(database, query)
    run(command, script(command, "keep_history", KEEP=middle.replace(" ", "T") + ":00"))
    assert 0 < before < count
    assert rows(database, query) == [(count, count)]
    assert list((command.folder / "archive").rglob("*.parquet"))
