"""`events delete`: nothing is lost that was not loaded, whatever the API's answer means."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, Command, id_of
from tests.integration.invoking import Invoker, on_terminal


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def database(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one load brought from the sandbox as it is after each reset."""
    command = Command(tmp_path_factory.mktemp("loaded"), sandbox)
    assert command.run("load", "--quiet").returncode == 0
    return command.folder / DATABASE


@pytest.fixture
def verbs(
    sandbox: Sandbox, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Invoker:
    monkeypatch.chdir(tmp_path)
    sandbox.reset()
    sandbox.control("DELETE", "journal")
    invoker = Invoker(Command(tmp_path, sandbox))
    invoker.environment["PIPEDREAM_DATABASE"] = str(database)
    return invoker


def retained(sandbox: Sandbox, source_id: str, channel: str = "") -> int:
    """Count after the deletion has taken effect, which reads bring about."""
    (emitter,) = [e for e in sandbox.state()["emitters"] if e["id"] == source_id]
    return int(emitter["channels"].get(channel, {"retained": 0})["retained"])


def held(verbs: Invoker, source_id: str, *flags: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = verbs.json("events", "list", source_id, *flags)
    return found


def deletions(verbs: Invoker, sandbox: Sandbox) -> list[str]:
    queries = [e["query"] for e in sandbox.journal() if e["method"] == "DELETE"]
    verbs.calls()
    return queries


def test_all_that_is_loaded_goes(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Newsletter signups")
    newest = held(verbs, source)[0]["id"]
    said = verbs.run("events", "delete", source, "--yes", "--wait")
    assert "Deleted 23 events" in said.err
    assert deletions(verbs, sandbox) == [f"end_id={newest}&event_name="]
    assert retained(sandbox, source) == 0
    again = verbs.run("events", "delete", source, "--yes", "--wait")
    assert "Nothing to delete" in again.err
    assert verbs.json("events", "delete", source, "--yes")["accepted"] is False
    assert deletions(verbs, sandbox) == []


def test_an_event_that_is_not_loaded_stops_it(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Newsletter signups")
    newest = held(verbs, source)[0]["id"]
    sandbox.advance(60)
    (fresh,) = sandbox.emit(source)
    for flags in ([], ["--start-id", newest], ["--end-id", fresh, "--event-name", ""]):
        said = verbs.run("events", "delete", source, *flags, "--yes", code=1)
        assert fresh in said.err
        assert "--even-unloaded" in said.err
    assert deletions(verbs, sandbox) == []
    verbs.run("events", "delete", source, "--loaded", "--yes", "--wait")
    assert deletions(verbs, sandbox) == [f"end_id={newest}&event_name="]
    assert [event["id"] for event in held(verbs, source)] == [fresh]
    verbs.run("events", "delete", source, "--even-unloaded", "--yes", "--wait")
    assert held(verbs, source) == []


def test_a_range_within_what_is_loaded(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Newsletter signups")
    ids = [event["id"] for event in held(verbs, source)]
    start, end = ids[4], ids[2]
    verbs.calls()
    said = verbs.json(
        *("events", "delete", source, "--start-id", start, "--end-id", end, "--yes", "--wait")
    )
    assert (said["events"], said["gone"]) == (3, True)
    assert deletions(verbs, sandbox) == [f"start_id={start}&end_id={end}&event_name="]
    assert [event["id"] for event in held(verbs, source)] == ids[:2] + ids[5:]


def test_only_what_is_old(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Newsletter signups")
    events = held(verbs, source)
    ids = [event["id"] for event in events]
    told = verbs.run("events", "list", source, "--columns", "indexed_at_ms").rows
    verbs.calls()
    words = ("events", "delete", source, "--loaded", "--older-than", told[9][0])
    dry = verbs.run(*words, "--dry-run")
    assert dry.out.strip().endswith(f"/sources/{source}/events?end_id={ids[10]}&event_name=")
    assert verbs.calls() == []
    verbs.run(*words, "--yes", "--wait")
    assert [event["id"] for event in held(verbs, source)] == ids[:10]
    nothing = verbs.run(*("events", "delete", source, "--loaded", "--older-than", "9000w", "-y"))
    assert "Nothing to delete" in nothing.err
    nothing = verbs.run(
        *("events", "delete", source, "--loaded", "--older-than", "2000-01-01", "--dry-run")
    )
    assert "no request" in nothing.err
    assert nothing.out == ""


@pytest.mark.parametrize("meant", ["all_channels", "default_channel"])
def test_channels_that_are_not_loaded_are_not_lost(
    verbs: Invoker, sandbox: Sandbox, meant: str
) -> None:
    sandbox.switch(delete_without_event_name=meant)
    source = id_of(sandbox, "Company blog")
    logs = retained(sandbox, source, "$logs")
    for flags in ([], ["--loaded"]):
        said = verbs.run("events", "delete", source, *flags, "--yes", code=1)
        assert "$logs" in said.err
        assert ("--loaded" in said.err) is not bool(flags)
    assert deletions(verbs, sandbox) == []
    verbs.run("events", "delete", source, "--event-name", "", "--yes", "--wait")
    assert [query[-12:] for query in deletions(verbs, sandbox)] == ["&event_name="]
    assert (held(verbs, source), retained(sandbox, source, "$logs")) == ([], logs)
    verbs.run("events", "delete", source, "--event-name", "$logs", "--yes", code=1)


def test_a_channel_that_nobody_knows_is_out_of_reach(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Shop orders")
    orders, stock = (retained(sandbox, source, name) for name in ("order.placed", "stock.low"))
    assert min(orders, stock) > 0
    assert verbs.json("events", "delete", source, "--yes", "--wait")["events"] == 100
    flags = ("--event-name", "order.placed", "--yes", "--wait")
    assert verbs.json("events", "delete", source, *flags)["events"] == orders
    assert [retained(sandbox, source, name) for name in ("", "order.placed")] == [0, 0]
    # Nothing names this channel, so it was never loaded; the bare call takes it all the same.
    assert retained(sandbox, source, "stock.low") == stock
    sandbox.emit(source)
    verbs.run("events", "delete", source, "--even-unloaded", "--yes", "--wait")
    assert deletions(verbs, sandbox)[-1] == ""


@pytest.mark.parametrize(
    "switches",
    [
        {"order": "shuffled"},
        {"default_read": "custom_too"},
        {"event_name": "ignored"},
        {"brief": "no_metadata"},
        {"after": "ignored"},
    ],
)
def test_no_unknown_of_the_api_loses_an_event(
    verbs: Invoker, sandbox: Sandbox, database: Path, switches: dict[str, str]
) -> None:
    sandbox.switch(**switches)
    for name in ("Newsletter signups", "Shop orders", "Company blog"):
        source = id_of(sandbox, name)
        sandbox.advance(60)
        fresh = sandbox.emit(source, count=2)
        verbs.run("events", "delete", source, "--yes", code=1)
        verbs.run("events", "delete", source, "--event-name", "", "--loaded", "--yes", "--wait")
        left = [event["id"] for event in held(verbs, source)]
        assert set(fresh) <= set(left)


def test_a_source_is_asked_about(verbs: Invoker, sandbox: Sandbox, database: Path) -> None:
    source = id_of(sandbox, "Newsletter signups")
    place = ("--database", str(database))
    code, shown = on_terminal(verbs.command, "events", "delete", source, *place, answer="no")
    assert (code, "This deletes the 23 events" in shown) == (1, True)
    code, shown = on_terminal(
        verbs.command, "events", "delete", source, *place, answer="Newsletter signups"
    )
    assert (code, "in a while" in shown) == (0, True)


def test_without_a_database_nothing_is_deleted(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Newsletter signups")
    for flags in (["--database", "nowhere.duckdb"], ["--dataset", "other"]):
        verbs.run("events", "delete", source, *flags, "--yes", code=2)
    assert verbs.calls() == []
    with duckdb.connect("empty.duckdb") as connection:
        connection.execute("CREATE SCHEMA pipedream; CREATE TABLE pipedream.stream_status (a INT)")
    verbs.run("events", "delete", source, "--database", "empty.duckdb", "--yes", code=1)
    assert deletions(verbs, sandbox) == []


@pytest.mark.parametrize(
    "flags",
    [
        ["--start-id", "x"],
        ["--end-id", "1"],
        ["--start-id", "2-0", "--end-id", "1-0"],
        ["--loaded", "--even-unloaded"],
        ["--older-than", "7d"],
        ["--loaded", "--older-than", "soon"],
        ["--event-name", "a\nb"],
    ],
)
def test_what_cannot_be_meant(verbs: Invoker, sandbox: Sandbox, flags: list[str]) -> None:
    verbs.run("events", "delete", id_of(sandbox, "Newsletter signups"), *flags, "--yes", code=2)
    assert verbs.calls() == []
