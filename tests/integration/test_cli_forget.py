"""`sources forget` and `workflows forget`: asked no more, no failure, and no row is lost."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from tests.integration.contract import KEY, Contract, Warehouse

START = int(time.time() * 1000) - 3_600_000


def run(contract: Contract, warehouse: Warehouse, *words: str) -> Any:
    environment = {"PIPEDREAM_API_KEY": KEY, "PIPEDREAM_BASE_URL": contract.url}
    line = [*words, "--database", str(warehouse.database)]
    return CliRunner(env=environment).invoke(app, line)


def proven(contract: Contract, warehouse: Warehouse) -> tuple[int, dict[str, bool]]:
    done = run(contract, warehouse, "prove", "--json")
    return done.exit_code, {
        f"{s['emitter_id']} {s['channel']}".strip(): s["ended"]
        for s in json.loads(done.stdout)["streams"]
    }


@pytest.fixture
def populated(
    contract: Contract, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    """A workflow that only an old error named and that is gone, and a source that has gone."""
    monkeypatch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)
    contract.subscribe("p_here")
    contract.stream("p_here").emit(f"{START}-0")
    context = b'{"original_context":{"workflow_id":"p_gone"}}'
    contract.stream("p_here", "$errors").emit(f"{START}-0", context)
    contract.stream("dc_a").emit_many(3, START)
    assert warehouse.load().exit_code == 3
    return warehouse


def test_a_workflow_is_forgotten_at_once(contract: Contract, populated: Warehouse) -> None:
    assert populated.load().exit_code == 3
    assert proven(contract, populated)[0] == 4
    contract.journal.clear()
    dry = run(contract, populated, "workflows", "forget", "p_gone", "--dry-run", "--json")
    assert (dry.exit_code, json.loads(dry.stdout)["channels"]) == (0, ["", "$errors"])
    assert proven(contract, populated)[0] == 4
    refused = run(contract, populated, "workflows", "forget", "p_gone")
    assert (refused.exit_code, "say --yes" in " ".join(refused.stderr.split())) == (2, True)
    done = run(contract, populated, "workflows", "forget", "p_gone", "--yes")
    assert done.exit_code == 0, done.output
    assert "Forgot p_gone" in done.stdout
    assert contract.journal == []
    told = proven(contract, populated)
    assert told[0] == 0
    assert [name for name, ended in told[1].items() if ended] == ["p_gone", "p_gone $errors"]
    for only in ("all", "events"):
        assert populated.load(only=only).exit_code == 0
    assert [path for path, _ in contract.journal if "p_gone" in path] == []
    assert proven(contract, populated)[0] == 0
    # A new error names it, and it answers.
    contract.stream("p_gone").emit(f"{START + 60_000}-0")
    contract.stream("p_gone", "$errors").emit(f"{START + 60_000}-0")
    context = b'{"original_context":{"workflow_id":"p_gone"}}'
    contract.stream("p_here", "$errors").emit(f"{START + 60_000}-0", context)
    assert populated.load().exit_code == 0
    assert {key[0] for key in populated.events("workflow_emits")} == {"p_here", "p_gone"}
    assert not any(proven(contract, populated)[1].values())


def test_a_source_keeps_its_rows_and_lives_again(contract: Contract, populated: Warehouse) -> None:
    rows = contract.lists["/users/me/sources"]
    (row,) = rows
    rows.clear()
    before = populated.events()
    done = run(contract, populated, "sources", "forget", "dc_a", "--yes", "--json")
    assert (done.exit_code, json.loads(done.stdout)["loaded"]) == (0, True)
    contract.journal.clear()
    populated.load()
    assert [path for path, _ in contract.journal if "dc_a" in path] == []
    assert populated.events() == before
    assert populated.status("dc_a", "verdict, failures") == ("ended", 0)
    contract.stream("dc_a").emit_many(3, START + 60_000)
    rows.append(row)
    populated.load()
    assert populated.events() == contract.emitted()
    assert populated.status("dc_a", "verdict, last_error") == ("contiguous", None)
    assert populated.rows("SELECT * FROM event_gaps") == []


def test_a_workflow_that_is_named_again_keeps_its_name_and_age(
    contract: Contract, populated: Warehouse
) -> None:
    context = b'{"original_context":{"workflow_id":"p_here","workflow_name":"Orders"}}'
    contract.stream("p_here", "$errors").emit(f"{START + 1_000}-0", context)
    populated.load()
    query = "SELECT name, first_seen_at FROM workflows WHERE id = 'p_here'"
    ((name, first_seen_at),) = before = populated.rows(query)
    assert (name, first_seen_at is None) == ("Orders", False)
    assert run(contract, populated, "workflows", "forget", "p_here", "--yes").exit_code == 0
    populated.load()
    assert populated.status("p_here", "verdict") == ("contiguous",)
    assert populated.rows(query) == before


def test_what_is_gone_keeps_its_name_for_people(contract: Contract, populated: Warehouse) -> None:
    (row,) = contract.lists["/users/me/sources"]
    for name in ("first", "last"):
        row["name"] = name
        populated.load()
    contract.lists["/users/me/sources"].clear()
    populated.load()
    done = run(contract, populated, "sources", "forget", "dc_a", "--dry-run", "--json")
    assert json.loads(done.stdout)["name"] == "last"
    streams = json.loads(run(contract, populated, "prove", "--json").stdout)["streams"]
    assert {s["name"] for s in streams if s["emitter_id"] == "dc_a"} == {"last"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("workflows", "forget", "p_other"), "nothing to forget"),
        (("workflows", "forget", "dc_a"), "must begin with p_"),
        (("sources", "forget", "p_gone"), "is a workflow"),
        (("sources", "forget", "../x"), "is not an id of the form"),
    ],
)
def test_what_cannot_be_forgotten(
    contract: Contract, populated: Warehouse, words: tuple[str, ...], told: str
) -> None:
    done = run(contract, populated, *words, "--yes")
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_nothing_is_made_where_nothing_is(contract: Contract, tmp_path: Path) -> None:
    nowhere = Warehouse(tmp_path, contract.url)
    assert run(contract, nowhere, "sources", "forget", "dc_a", "--yes").exit_code == 2
    assert list(tmp_path.iterdir()) == []
