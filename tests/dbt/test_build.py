"""The project builds: with all its tests, whole or step by step, on nothing, and on any payload."""

import json
from collections import Counter
from pathlib import Path

import duckdb
import pandas as pd

from pipedream_source.running.destination.target import Target
from pipedream_source.sandbox import Sandbox
from tests.dbt.project import DATABASE, OK, Dbt, frame
from tests.dbt.truth import fields_of
from tests.dbt.world import World, copied, loaded

MODELS = (
    "SELECT table_name, table_type FROM information_schema.tables "
    "WHERE table_schema LIKE 'analytics%'"
)


def tables(database: Path) -> list[str]:
    found = frame(database, MODELS)
    return sorted(found[found.table_type == "BASE TABLE"].table_name)


def test_every_test_passes(dbt: Dbt, world: World) -> None:
    """Unit tests in a first build, tests of the data after the first load and after the fifth."""
    first = Counter(found["status"] for found in world.first_build)
    assert set(first) <= set(OK)
    assert first["pass"] > 230
    results = dbt("test", "--exclude-resource-type", "unit_test", database=world.database)
    assert len(results) > 220


def test_a_full_refresh_equals_what_five_loads_made(dbt: Dbt, world: World, tmp_path: Path) -> None:
    whole = copied(world.database, tmp_path / "whole")
    dbt("run", "--full-refresh", database=whole)
    names = tables(world.database)
    assert len(names) >= 14
    for name in names:
        steps, once = (
            frame(database, f"SELECT * FROM {name} ORDER BY ALL")
            for database in (world.database, whole)
        )
        assert len(steps), name
        pd.testing.assert_frame_equal(steps, once, obj=name)


def test_rows_that_stand_twice_are_told(dbt: Dbt, world: World, tmp_path: Path) -> None:
    doubled = copied(world.database, tmp_path / "doubled")
    tables = ("source_event_summaries", "workflow_emits", "workflow_errors")
    with duckdb.connect(str(doubled)) as connection:
        for table in tables:
            connection.execute(f"INSERT INTO pipedream.{table} FROM pipedream.{table} LIMIT 3")
    selected = (f"stg_pipedream__{table}" for table in tables)
    answer = dbt.ask("test", "--select", *selected, database=doubled)
    wrong = [found["name"] for found in answer["results"] if found["status"] == "fail"]
    assert len(wrong) == len(tables)
    assert all("unique_together" in name for name in wrong)


def test_what_is_pruned_later_stays_in_the_marts(dbt: Dbt, world: World, tmp_path: Path) -> None:
    pruned = copied(world.database, tmp_path / "pruned")
    with duckdb.connect(str(pruned)) as connection:
        for table in ("source_event_summaries", "workflow_emits", "workflow_errors"):
            connection.execute(
                f"UPDATE pipedream.{table} SET event = NULL, event_state = 'pruned' "
                "WHERE emitted_at < (SELECT max(emitted_at) FROM pipedream.workflow_emits)"
            )
    dbt("run", database=pruned)
    dbt("test", "--select", "test_type:singular", database=pruned)
    for name in ("fct_events", "fct_workflow_errors", "fct_error_groups", "fct_payload_fields"):
        before, after = (
            frame(database, f"SELECT * FROM {name} ORDER BY ALL")
            for database in (world.database, pruned)
        )
        pd.testing.assert_frame_equal(after, before, obj=name)


def test_no_events_yet(dbt: Dbt, tmp_path: Path) -> None:
    """Neither in a database without any table, nor in one whose tables are empty."""
    nothing, database = tmp_path / "nothing" / DATABASE, tmp_path / DATABASE
    nothing.parent.mkdir()
    dbt("run", database=nothing)
    assert not frame(nothing, "SELECT * FROM fct_events").shape[0]
    with Sandbox(seed=7) as sandbox:
        for emitter in sandbox.state()["emitters"]:
            for channel in emitter["channels"]:
                sandbox.delete(emitter["id"], channel)
        assert loaded(sandbox, Target(database=database)) == 0
    dbt("run", database=database)
    assert not frame(database, "SELECT * FROM fct_events").shape[0]
    emitters = frame(database, "SELECT * FROM dim_emitters")
    assert (emitters.emitter_type == "source").sum() == 16
    assert set(
        frame(database, "SELECT share_complete FROM fct_completeness").share_complete.dropna()
    ) <= {1.0}


DEEP = 100_000
ODD = {
    "": 1,
    "a.b": 2,
    'q"uote': 3,
    "back\\slash": 4,
    "[0]": 5,
    "line\nbreak": 6,
    "\u202e": 7,
    "a": 8,
    "A": 9,
}
PAYLOADS: dict[str, str | None] = {
    "null": "null",
    "number": "-0.5e-7",
    "large number": "123456789012345678901234567890",
    "huge number": "1" * 5_000,
    "text": '"just a text"',
    "NUL": r'"a\u0000b"',
    "true": "true",
    "list": "[]",
    "object": "{}",
    "mixed": json.dumps([1, "a", None, {"x": 1}, [2], {"x": None, "y": {}}]),
    "mixed again": json.dumps([1, "a", None, {"z": 1}, [2]]),
    "odd keys": json.dumps(ODD),
    "same key twice": '{"a": 1, "a": "x"}',
    "many keys": json.dumps({f"key{number}": number for number in range(5_000)}),
    "long key": json.dumps({"k" * 1_000_000: {"a": 1}}),
    "deep list": "[" * DEEP + "]" * DEEP,
    "deep object": '{"a":' * 300 + "1" + "}" * 300,
    "not so deep": '{"a":' * 60 + "1" + "}" * 60,
    "wide": json.dumps([{"id": number, "tags": ["x"]} for number in range(2_000)]),
    "5 MB": json.dumps({"text": "x" * 5_000_000}),
}


def test_payloads_of_any_json_kind(dbt: Dbt, tmp_path: Path) -> None:
    database = tmp_path / DATABASE
    with Sandbox(seed=7) as sandbox:
        (source,) = sandbox.add_emitters(1)
        (workflow,) = sandbox.add_emitters(1, type="workflow")
        for number, text in enumerate(PAYLOADS.values()):
            sandbox.emit(source, f"kind{number}", event_text=text)
            sandbox.emit(workflow, "$errors", event_text=text)
        row = {
            "id": "1793610000000-0",
            "indexed_at_ms": 1793610000000,
            "metadata": {"name": "none"},
        }
        sandbox.emit(source, "none", row_text=json.dumps(row))
        channels = [*(f"kind{number}" for number in range(len(PAYLOADS))), "none", "$errors"]
        only = {"source_ids": [source], "workflow_ids": [workflow], "discover": False}
        assert loaded(sandbox, Target(database=database), channels=channels, **only) == 0
    dbt("run", database=database)
    dbt("test", "--exclude-resource-type", "unit_test", database=database)
    fields = frame(database, "SELECT * FROM fct_payload_fields")
    for number, (name, text) in enumerate(PAYLOADS.items()):
        found = fields[fields.channel == f"kind{number}"].set_index("path")
        assert found.loc["$"].events == 1, name
        if name in BOUNDED:
            assert found.fields_left_out.max() > 0, name
            continue
        assert text is not None
        due = {path: ", ".join(sorted(kinds)) for path, kinds in fields_of(text.encode()).items()}
        assert found.fields_left_out.max() == 0, name
        if name != "same key twice":
            assert dict(found.types) == due, name
    sizes = frame(
        database, "SELECT channel, payload_bytes FROM fct_events WHERE emitter_id LIKE 'dc%'"
    ).set_index("channel")
    assert sizes.loc["kind19"].payload_bytes == len(PAYLOADS["5 MB"] or "")
    assert pd.isna(sizes.loc["none"].payload_bytes)
    assert len(frame(database, "SELECT * FROM fct_workflow_errors")) == len(PAYLOADS)


BOUNDED = ("many keys", "long key", "deep list", "deep object", "not so deep")
