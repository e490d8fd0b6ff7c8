"""Every cell of docs/clients.md is run: `make test-clients`.

The clients have environments of their own (`versions.toml`), as the versions exclude each other.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipedream_source.core.text.sql_text import literal
from pipedream_source.resources.schema.views import VIEWS
from pipedream_source.sandbox import Sandbox
from tests.clients.expected import CLIENTS, COPIED, MINUTES, PROCESS, SESSION, Client, Note
from tests.integration.command import Command, id_of
from tests.integration.conftest import ODD
from tests.integration.test_readme import blocks

SCRIPTS = Path(__file__).resolve().parent / "scripts"
BESIDE = os.environ.get("CLIENTS_BESIDE")
pytestmark = pytest.mark.skipif(BESIDE is None, reason="needs the clients: `make test-clients`")

ODD_PAYLOADS = [
    '{"a":NaN,"i":18446744073709551616,"f":0.12345678901234567891}',
    '{"a\\u0000b":"\\u0000"}',
    '"😀é\u2028\x7f"',
    '{ "long" :\n\t"' + 100_000 * "x" + '"}',
    ODD,
]
VERSION_FLAGS = {"v1.2.0": (), "v2.0.0": ("--storage-version", "v2.0.0")}
EVENTS = "pipedream.source_event_summaries"
# Those over dbt's marts need dbt.
EXAMPLES = [query.strip().rstrip(";") for query in blocks("sql") if "analytics." not in query]
Task = dict[str, Any]


@dataclass
class Loaded:
    """A file of each storage version, what clients are asked about them, and the truth."""

    folder: Path
    task: Task
    truth: dict[str, Any]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    with Sandbox() as sandbox:
        command = Command(tmp_path_factory.mktemp("clients"), sandbox)
        for payload in ODD_PAYLOADS:
            sandbox.advance(1)
            sandbox.emit(id_of(sandbox, "GitHub code"), event_text=payload)
        load(command)
        sandbox.advance(3600)
        sandbox.emit(id_of(sandbox, "Newsletter signups"), count=150, spread_s=500)
        load(command)
        copy = ("--to", "copy.duckdb", "--quiet")
        done = command.run("compact", "--database", "v1.2.0.duckdb", *copy)
        assert done.returncode == 0, done.stderr
    return asked(command.folder)


def load(command: Command) -> None:
    for version, flags in VERSION_FLAGS.items():
        place = ("--database", f"{version}.duckdb", "--pipelines-dir", version)
        done = command.run("load", "--quiet", *place, *flags)
        assert done.returncode == 0, done.stderr


def asked(folder: Path) -> Loaded:
    """Draw up the questions, and answer them with the DuckDB that loaded."""
    texts = ", ".join(map(literal, ODD_PAYLOADS))
    odd = (
        f"SELECT id, CAST(event AS VARCHAR) FROM {EVENTS} WHERE CAST(event AS VARCHAR) IN ({texts})"
    )
    with duckdb.connect(str(folder / "v1.2.0.duckdb"), read_only=True) as connection:

        def rows(query: str) -> list[tuple]:
            return connection.execute(query).fetchall()

        ids = {event: event_id for event_id, event in rows(odd)}
        assert len(ids) == len(ODD_PAYLOADS)
        (number,) = rows(f"SELECT count(*) FROM {EVENTS}")[0]
        task = questions(ids)
        views = {view: rows(f"SELECT count(*) FROM pipedream.{view}")[0][0] for view in VIEWS}
        views |= {query: len(rows(query)) for query in EXAMPLES}
        assert all(views.values())
        truth = {
            "rows": number,
            "listed": sorted(name for (name,) in rows(task["sql"]["listed"])),
            "payloads": {event_id: event for event, event_id in ids.items()},
            "key": "a/b",
            # The id's own digits: what the file says of its time has no part in it.
            "time": int(ids[ODD].split("-")[0]),
            "views": views,
            "comment": rows(task["sql"]["comment"])[0][0],
        }
    assert "UTC" in truth["comment"]
    assert set(VIEWS) < set(truth["listed"])
    return Loaded(folder, task, truth)


def questions(ids: dict[str, str]) -> Task:
    odd = ", ".join(map(literal, ids.values()))
    column = (
        "schema_name = 'pipedream' AND table_name = 'source_event_summaries' "
        "AND column_name = 'emitted_at'"
    )
    newest = f"FROM {EVENTS} WHERE id = {literal(ids[ODD])}"
    sql = {
        "zone": f"SET TimeZone = '{SESSION}'",
        "version": "SELECT version() AS version",
        "rows": f"SELECT CAST(count(*) AS INTEGER) AS number FROM {EVENTS}",
        "listed": "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = 'pipedream'",
        "payloads": f"SELECT id, event FROM {EVENTS} WHERE id IN ({odd})",
        "key": f"SELECT event ->> '$.path' AS path {newest}",
        "time": f"SELECT emitted_at {newest}",
        # The text of each row has all columns computed, which a bare count would leave out.
        "view": "SELECT CAST(count(*) AS INTEGER) AS number FROM pipedream.{view} AS whole "
        "WHERE length(CAST(whole AS VARCHAR)) > 0",
        "comment": f"SELECT comment FROM duckdb_columns() WHERE {column}",
    }
    return {
        "dataset": "pipedream",
        "ids": list(ids.values()),
        "id": ids[ODD],
        "views": list(VIEWS),
        "examples": EXAMPLES,
        "sql": sql,
    }


def answers(client: Client, loaded: Loaded, version: str) -> dict[str, dict[str, Any]]:
    """Run a client's script with a file, and return what it said of each check."""
    environment = Path(f"{BESIDE}/{client.environment}")
    python = environment / "bin" / "python"
    program = str(python) if client.script.endswith(".py") else "node"
    path = loaded.folder / f"{version}.duckdb"
    before = path.read_bytes()
    done = subprocess.run(
        [program, str(SCRIPTS / client.script)],
        input=json.dumps(loaded.task | {"path": str(path)}),
        cwd=environment,
        env={"PATH": os.environ["PATH"], "HOME": str(loaded.folder), "TZ": PROCESS},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == before
    told: dict[str, dict[str, Any]] = json.loads(done.stdout.split("\n")[-1])
    return told


def cell_of(check: str, answer: dict[str, Any], truth: dict[str, Any]) -> str:
    """Judge one answer of a client."""
    if "error" in answer:
        return "no"
    value = answer["value"]
    if check == "version":
        return str(value).removeprefix("v")
    if check == "time":
        return cell_of_time(value, truth["time"])
    if check == "payloads":
        is_text = all(isinstance(event, str) for event in value.values())
        return "text" if value == truth["payloads"] else "wrong" if is_text else "parsed"
    if check == "listed":
        value = sorted(value)
    return "yes" if value == truth[check] else f"wrong: {value}"


def cell_of_time(value: dict[str, Any], truth: int) -> str:
    if value["ms"] != truth:
        return f"another moment: {value}"
    kinds = {"Date": "`Date`", "number": "ms"}
    return kinds[value["kind"]] if "kind" in value else MINUTES.get(value["minutes"], "naive")


@pytest.mark.parametrize("client", CLIENTS, ids=[client.environment for client in CLIENTS])
def test_a_client_does_what_the_page_says(client: Client, loaded: Loaded) -> None:
    told = answers(client, loaded, "copy" if client.reads_copies else "v1.2.0")
    told["rows_v2"] = answers(client, loaded, "v2.0.0")["rows"]
    truth = loaded.truth | {"rows_v2": loaded.truth["rows"]}
    plain = {
        check: cell if isinstance(cell, str) else cell[0] for check, cell in client.cells.items()
    }
    if client.reads_copies:
        plain["rows"] = "yes"
        told["rows_itself"] = answers(client, loaded, "v1.2.0")["rows"]
    assert {check: cell_of(check, told[check], truth) for check in plain} == plain, told
    for check, cell in client.cells.items():
        if check == "rows" and client.reads_copies:
            itself = told["rows_itself"]
            assert itself == told["rows"] or COPIED.errors[0] in itself["error"]
        elif not isinstance(cell, str):
            follow(check, cell[1], told, truth)


def follow(check: str, note: Note, told: dict[str, Any], truth: dict[str, Any]) -> None:
    """Compare a note with the error, and its advice with the truth."""
    if note.errors:
        assert any(part in told[check]["error"] for part in note.errors), told[check]
    if note.instead is not None:
        answer = told[f"{check}_instead"]
        assert cell_of(check, answer, truth) == note.instead, answer
