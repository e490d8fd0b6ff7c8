"""A loaded database explains itself: comments on all it holds, and views that tell the truth."""

import json
import re
import shutil
import time
from unittest.mock import patch

import duckdb
import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from pipedream_source.resources.schema.descriptions import described
from pipedream_source.resources.schema.view import View
from pipedream_source.resources.schema.views import VIEWS, view_query
from pipedream_source.running.description import describe
from tests.integration import tables_page
from tests.integration.command import ROOT
from tests.integration.contract import HOUR, Contract, Warehouse

EVERYTHING = [
    *((one.name, one.about, one.fields) for one in described()),
    *((one.name, one.about, one.fields) for one in VIEWS.values()),
]
START = int(time.time() * 1000) - 2 * HOUR
BOOM = json.dumps(
    {
        "original_event": {"n": 1},
        "original_context": {
            "id": "e_1",
            "workflow_id": "p_flow",
            "workflow_name": "Orders",
            "emitter_id": "dc_busy",
        },
        "error": {
            "code": "E_PAY",
            "msg": "card declined",
            "cellId": "c_step",
            "stack": "Error: card declined\n    at settle (/app/node_modules/axios/a.js:1:9)\n"
            "    at charge (/code/pay.mjs:12:7)\n    at node:internal/x:1:1",
        },
    }
).encode()
ERRORS = (BOOM, b'{"error":"plain"}', b'"only a text"', b" [1]", b'{"error":{"msg":null}}')
COMMENTS = (
    "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 'pipedream' "
    "UNION ALL SELECT table_name, '', comment FROM duckdb_tables() WHERE schema_name = 'pipedream' "
    "UNION ALL SELECT view_name, '', comment FROM duckdb_views() WHERE schema_name = 'pipedream'"
)
USAGE = """
INSERT INTO {}.workspaces (id, name, snapshot_at, daily_credits_used, daily_credits_quota) VALUES
    ('o_1', 'Old', '2026-11-01 10:00:00+00', 40, 100),
    ('o_1', 'Old', '2026-11-01 23:00:00+00', 90, 100),
    ('o_1', 'New', '2026-11-02 00:20:00+00', 95, 100),
    ('o_1', 'New', '2026-11-02 00:40:00+00', 2, 100),
    ('o_1', 'New', '2026-11-02 09:00:00+00', 7, 0)
"""
KINDS = [
    ("source_event", "Renamed", None, 200),
    ("source_event", "dc_quiet", None, 3),
    ("workflow_emit", "Orders", "Orders", 5),
    ("workflow_error", "Orders", "Orders", 5),
]
COUNTED = (
    "SELECT kind, emitter_name, workflow_name, count(*) FROM events "
    "GROUP BY kind, emitter_name, workflow_name ORDER BY kind, emitter_name"
)
TAKEN_APART = (
    "SELECT workflow_name, step, code, message, own_line, original_emitter_name, "
    "original_event_id, original_event FROM errors ORDER BY emitted_at"
)
BOOM_APART = (
    *("Orders", "c_step", "E_PAY", "card declined", "charge (/code/pay.mjs:12:7)"),
    *("Renamed", "e_1", '{"n":1}'),
)
PAYLOADS = (ROOT / "docs" / "payloads.md").read_text(encoding="utf-8")
USED = (
    "SELECT owner_kind, owner_name, measure, day::VARCHAR, used, quota, share, snapshots "
    "FROM usage_daily WHERE owner_id = 'o_1' AND measure = 'credits' ORDER BY day"
)
DAYS = [
    # What was read twenty minutes after midnight had not fallen: it is the day before's.
    ("workspace", "New", "credits", "2026-11-01", 95, 100, 0.95, 3),
    ("workspace", "New", "credits", "2026-11-02", 7, 0, None, 2),
]


def paths() -> list[list[str]]:
    """The lines of the page: a payload, how each database takes it apart, and what comes of it."""
    cells = r"^\| `(.*)` \| (?:`(.*?)`)? ?\| (?:`(.*?)`)? ?\| `(.*)` \|$"
    return [list(found) for found in re.findall(cells, PAYLOADS, re.MULTILINE)]


def fill(contract: Contract, warehouse: Warehouse) -> None:
    """Load twice: a burst overruns one source, which is renamed, and a workflow fails."""
    busy = contract.stream("dc_busy")
    busy.emit_many(100, START)
    flow, errors = contract.stream("p_flow"), contract.stream("p_flow", "$errors")
    flow.emit_many(5, START)
    contract.stream("dc_quiet").emit_many(3, START)
    contract.subscribe("dc_busy", listener="p_flow")
    assert warehouse.load().exit_code == 0
    busy.emit_many(250, START + 200_000)
    for number, payload in enumerate(ERRORS):
        errors.emit(f"{START + number}-0", payload)
    contract.lists["/users/me/sources"][0]["name"] = "Renamed"
    assert warehouse.load().exit_code == 0


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """What two loads left; tests that write begin with a copy of it."""
    with Contract() as contract:
        warehouse = Warehouse(tmp_path_factory.mktemp("described"), contract.url)
        fill(contract, warehouse)
    return warehouse


@pytest.fixture
def again(contract: Contract, warehouse: Warehouse, loaded: Warehouse) -> Warehouse:
    """The same in a folder of its own, with news to load."""
    shutil.copytree(loaded.folder, warehouse.folder, dirs_exist_ok=True)
    contract.stream("dc_busy").emit_many(3, START + 600_000)
    contract.stream("dc_quiet").emit_many(4, START)
    contract.stream("p_flow")
    contract.stream("p_flow", "$errors")
    contract.subscribe("dc_busy", listener="p_flow")
    return warehouse


def change(warehouse: Warehouse, *statements: str) -> None:
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("SET schema = 'pipedream'")
        for statement in statements:
            connection.execute(statement)


def comments(warehouse: Warehouse) -> dict[tuple[str, str], str]:
    return {(table, column): comment for table, column, comment in warehouse.rows(COMMENTS)}


def told(warehouse: Warehouse, *words: str) -> dict:
    done = CliRunner().invoke(app, [*words, "--json", "--database", str(warehouse.database)])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_everything_has_its_comment(loaded: Warehouse) -> None:
    found = comments(loaded)
    due: dict[tuple[str, str], str] = {}
    for name, about, fields in EVERYTHING:
        assert found.pop((name, "")).startswith(about)
        due |= {(name, column): one.comment for column, one in fields.items()}
    assert found == due
    assert found["stream_status", "window_seconds"] == "Time that the window spans. Unit: s."


def test_a_load_that_changes_no_table_writes_and_asks_nothing(
    again: Warehouse, contract: Contract
) -> None:
    assert again.load().exit_code == 0  # its folder was copied, so it asks once
    contract.stream("dc_quiet").emit_many(1, START + 50_000)
    with patch.object(describe, "describe_with") as asked:
        assert again.load().rows_gone == {}
    assert not asked.called
    assert again.one("SELECT count(*) FROM _dlt_loads") == (4,)


def test_what_was_changed_is_written_again(again: Warehouse) -> None:
    before = comments(again)
    change(
        again,
        "COMMENT ON COLUMN stream_status.fill IS 'mine'",
        "COMMENT ON TABLE _dlt_version IS NULL",
        "DROP VIEW events",
        "COMMENT ON VIEW losses IS 'Made by pipedream-source (0)'",
    )
    report = again.load()
    assert (report.exit_code, report.notes) == (0, [])
    assert comments(again) == before


def test_what_is_the_users_own_stays_and_is_told_once(again: Warehouse, contract: Contract) -> None:
    change(
        again,
        "DROP VIEW errors",
        "CREATE TABLE errors (mine INT)",
        "DROP VIEW losses",
        "CREATE VIEW losses AS SELECT 1 AS mine",
    )
    notes = again.load().notes
    assert [" ".join(note.split()[:7]) for note in notes] == [
        "The dataset has a table 'errors' of",
        "The dataset has a view 'losses' of",
    ]
    contract.stream("dc_quiet").emit_many(1, START + 50_000)
    assert again.load().notes == []
    assert again.one("SELECT count(*) FROM errors") == (0,)
    assert again.one("SELECT * FROM losses") == (1,)
    kinds = {one["name"]: one["kind"] for one in told(again, "tables")["tables"]}
    assert (kinds["errors"], kinds["losses"], kinds["events"]) == ("other", "other", "view")


def test_views_that_lost_their_comments_are_ours_still(again: Warehouse) -> None:
    """As EXPORT DATABASE leaves them."""
    change(again, *(f"COMMENT ON VIEW {view} IS NULL" for view in VIEWS))
    change(again, "COMMENT ON TABLE _dlt_version IS NULL")
    assert again.load().notes == []
    assert all(comments(again)[view, ""] for view in VIEWS)


def test_a_view_that_cannot_be_made_spoils_nothing(again: Warehouse) -> None:
    change(again, "DROP VIEW streams", "COMMENT ON TABLE _dlt_version IS NULL")
    with patch.dict(VIEWS, {"streams": View("streams", "S.", {}, "SELECT no")}):
        assert again.load().exit_code == 0
    assert ("streams", "") not in comments(again)
    assert comments(again)["events", "kind"]


def test_without_the_right_to_comment_a_load_goes_on(again: Warehouse) -> None:
    change(again, "COMMENT ON TABLE _dlt_version IS NULL")
    refused = duckdb.PermissionException("not yours")
    with patch.object(describe._Describing, "_write", side_effect=refused):
        report = again.load()
    assert (report.exit_code, report.notes, report.loaded) == (0, [], True)


def test_tables_that_are_missing_read_as_empty_until_they_are_there(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.stream("dc_quiet").emit_many(3, START)
    pipeline = warehouse.pipeline()
    pipeline.run(warehouse.source().with_resources("source_event_summaries"))
    assert describe.describe(pipeline) == []
    assert "sources" not in pipeline.dataset().tables
    for view, definition in VIEWS.items():
        (columns,) = [list(definition.fields)]
        with duckdb.connect(str(warehouse.database), read_only=True) as connection:
            found = connection.execute(f"SELECT * FROM pipedream.{view}").description
        assert [name for name, *_ in found] == columns
    assert warehouse.rows("SELECT DISTINCT emitter_name FROM events") == [(None,)]
    # dlt adds tables beneath the views, and reads the dataset as before.
    pipeline.run(warehouse.source())
    assert describe.describe(pipeline) == []
    assert warehouse.rows("SELECT DISTINCT emitter_name FROM events") == [("dc_quiet",)]
    assert len(pipeline.dataset().source_event_summaries.fetchall()) == 3


def test_events_are_those_of_all_tables(loaded: Warehouse) -> None:
    assert loaded.rows(COUNTED) == KINDS
    found = loaded.rows("SELECT emitter_id, channel, id, event FROM events")
    sent = {(emitter, channel, one): payload for emitter, channel, one, payload in found}
    assert sent["p_flow", "$errors", f"{START}-0"] == BOOM.decode()


def test_errors_are_taken_apart(loaded: Warehouse) -> None:
    first, *others = loaded.rows(TAKEN_APART)
    assert first == BOOM_APART
    assert [row[3] for row in others] == ["plain", "only a text", None, None]


def test_a_renamed_source_counts_once(loaded: Warehouse) -> None:
    assert loaded.one("SELECT count(*) FROM sources") == (3,)
    query = "SELECT id, name, versions FROM sources_now ORDER BY id"
    assert loaded.rows(query) == [("dc_busy", "Renamed", 2), ("dc_quiet", "dc_quiet", 1)]


def test_losses_and_streams_are_what_gaps_and_status_tell(loaded: Warehouse) -> None:
    found = told(loaded, "gaps")
    (gap,) = found["gaps"]
    columns = ", ".join(name for name in VIEWS["losses"].fields if name in gap)
    names = "emitter_name, reason, lost"
    (row,) = loaded.rows(f"SELECT {names}, {columns} FROM losses")
    name, reason, lost, *values = row
    assert (name, lost) == (
        "Renamed",
        f"{gap['lost_min']} to {gap['lost_max']}, likely {gap['lost_likely']}",
    )
    assert reason.startswith("more than 100 events came between two polls")
    same = dict(zip(columns.split(", "), values, strict=True))
    assert json.loads(same.pop("inputs")) == gap.pop("inputs")
    assert {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in same.items()} == {
        key: gap[key].replace("Z", "+00:00") if isinstance(gap[key], str) else gap[key]
        for key in same
    }
    status = {(one["emitter_id"], one["channel"]): one for one in told(loaded, "status")["streams"]}
    query = (
        "SELECT emitter_id, channel, emitter_name, quiet_seconds, headroom, gaps, lost_min, "
        "lost_max, lag_seconds FROM streams"
    )
    for emitter, channel, named, quiet, headroom, gaps, least, most, lag in loaded.rows(query):
        one = status.pop((emitter, channel))
        assert (named, headroom, gaps) == (one["name"], one["headroom"], one["gaps"])
        assert {"min": least, "max": most} == {k: one["lost"][k] for k in ("min", "max")}
        assert quiet == pytest.approx(one["quiet_seconds"], abs=0.01)
        assert lag > 0
    assert not status


def test_usage_is_counted_on_the_day_to_which_it_belongs(again: Warehouse) -> None:
    change(again, USAGE.format("pipedream"))
    assert again.rows(USED) == DAYS


def test_the_text_of_a_view_needs_no_view(loaded: Warehouse) -> None:
    for view, definition in VIEWS.items():
        columns = ", ".join(name for name in definition.fields if name != "lag_seconds")
        own = loaded.rows(f"SELECT {columns} FROM ({view_query(view)}) ORDER BY ALL")
        assert own == loaded.rows(f"SELECT {columns} FROM {view} ORDER BY ALL")


def test_tables_tells_what_stands_in_the_database(loaded: Warehouse) -> None:
    found = told(loaded, "tables")["tables"]
    stored = comments(loaded)
    assert {one["name"] for one in found} == {table for table, _ in stored}
    for one in found:
        assert (one["rows"],) == loaded.one(f"SELECT count(*) FROM {one['name']}")
        for column in one["columns"]:
            unit = f" Unit: {column['unit']}." if column["unit"] else ""
            assert stored[one["name"], column["name"]] == column["about"] + unit
    narrow = CliRunner(env={"COLUMNS": "50"})
    done = narrow.invoke(app, ["tables", "errors", "--database", str(loaded.database)])
    assert max(map(len, done.stdout.splitlines())) <= 50
    assert {name in done.stdout for name in VIEWS["errors"].fields} == {True}
    wrong = narrow.invoke(app, ["tables", "nothing", "--database", str(loaded.database)])
    assert (wrong.exit_code, "'usage_daily'" in wrong.output) == (2, True)


def test_the_page_of_tables_is_up_to_date() -> None:
    told = "run `python -m tests.integration.tables_page`"
    assert tables_page.PAGE.read_text(encoding="utf-8") == tables_page.page(), told


def test_paths_of_payloads() -> None:
    assert len(paths()) == 21
    with duckdb.connect() as connection:
        for payload, path, _, due in paths():
            query = f"SELECT CAST({path} AS VARCHAR) FROM (SELECT CAST(? AS JSON) AS event)"
            if path:
                assert connection.execute(query, [payload]).fetchall() == [(due,)], path
