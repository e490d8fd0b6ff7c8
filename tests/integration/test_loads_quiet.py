"""A run that finds nothing new is recorded without a load package, and changes nothing else."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from pipedream_source.exceptions import DestinationUnavailable
from pipedream_source.resources.events import preview
from pipedream_source.running.load import dlt_load, quiet_run
from tests.integration.contract import HOUR, KEY, Contract, Reply, Warehouse

START = int(time.time() * 1000) - HOUR
# Without what depends on the time of a poll.
STATUS = (
    "SELECT * EXCLUDE (last_polled_at, next_poll_at, headroom, events_per_hour, _dlt_load_id) "
    "FROM stream_status ORDER BY ALL"
)
COVERAGE = (
    "SELECT emitter_id, channel, from_id, begins, covered_from, until_id, events, polls "
    "FROM stream_coverage ORDER BY ALL"
)
PACKAGES = "SELECT count(*) FROM _dlt_loads"
RUNS = "SELECT streams_polled, events_new, gaps FROM load_runs ORDER BY finished_at"


def fill(contract: Contract) -> None:
    """Emit in two sources and a workflow with errors, and subscribe to one."""
    for emitter in ("dc_one", "dc_two"):
        contract.stream(emitter).emit_many(100, START)
    contract.stream("p_flow").emit_many(5, START)
    contract.stream("p_flow", "$errors")
    contract.subscribe("dc_one", listener="p_flow")


@pytest.fixture(scope="module")
def loaded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what one load brought, for each test to begin with a copy of it."""
    with Contract() as contract:
        fill(contract)
        warehouse = Warehouse(tmp_path_factory.mktemp("once"), contract.url)
        assert warehouse.load().exit_code == 0
    return warehouse.folder


@pytest.fixture
def filled(contract: Contract, warehouse: Warehouse, loaded_once: Path) -> Warehouse:
    """A workspace that was loaded once."""
    fill(contract)
    shutil.copytree(loaded_once, warehouse.folder, dirs_exist_ok=True)
    # The copy is another file than the one that the load left.
    warehouse.target.remember(state_of(warehouse)["last_load_id"])
    return warehouse


def state_of(warehouse: Warehouse) -> dict[str, Any]:
    text = (warehouse.target.working_dir / "state.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["sources"]["pipedream"]
    return found


def streams_in(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the states of all streams, without what depends on the time of a poll."""
    return {
        key: {name: value for name, value in packed.items() if name not in set("pvtkc")}
        | {"w": packed["w"][:5] + packed["w"][6:]}
        for resource in state["resources"].values()
        for key, packed in resource.get("streams", {}).items()
    }


def windows_asked(contract: Contract) -> list[str]:
    return [path for path, _ in contract.journal if path.endswith("/event_summaries")]


def test_nothing_is_written_after_the_file_was_noted(
    contract: Contract, warehouse: Warehouse
) -> None:
    """A folder given by the user is the case in which staging is dropped at the end of a load."""
    fill(contract)
    warehouse.target = replace(warehouse.target, pipelines_dir=warehouse.folder / "working")
    assert [warehouse.load().exit_code for _ in range(2)] == [0, 0]
    assert warehouse.rows(PACKAGES) == [(1,)]


def test_a_run_without_news_writes_its_row_and_the_times(filled: Warehouse) -> None:
    events, before = filled.events(), filled.status("dc_one", "last_polled_at, verdict")
    time.sleep(1.1)  # the API's `Date` counts seconds
    report = filled.load()
    assert (report.exit_code, report.loaded, report.tally.polled) == (0, True, 4)
    assert report.as_dict()["rows"]["source_event_summaries"] == 0
    assert filled.rows(RUNS) == [(4, 205, 0), (4, 0, 0)]
    assert filled.one(PACKAGES) == (1,)
    assert filled.events() == events
    after = filled.status("dc_one", "last_polled_at, verdict")
    assert after[0] > before[0]
    assert (before[1], after[1]) == ("first", "contiguous")


def test_it_leaves_what_the_ordinary_way_leaves(
    contract: Contract, filled: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Warehouse(filled.folder, contract.url, "other.duckdb")
    other.load()
    filled.load()
    monkeypatch.setattr(preview, "OBJECTS_FRESH_S", 0)
    other.load()
    assert (filled.one(PACKAGES), other.one(PACKAGES)) == ((1,), (2,))
    assert filled.rows(STATUS) == other.rows(STATUS)
    assert filled.rows(COVERAGE) == other.rows(COVERAGE)
    assert streams_in(state_of(filled)) == streams_in(state_of(other))


def test_dlt_is_not_even_imported(filled: Warehouse) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipedream_source.api.client import PipedreamClient\n"
        "from pipedream_source.resources.session.arguments import open_session\n"
        "from pipedream_source.running.load.load_run import run_load\n"
        "from pipedream_source.running.destination.target import Target\n"
        "client = PipedreamClient(sys.argv[1], base_url=sys.argv[2])\n"
        "report = run_load(Target(database=Path(sys.argv[3])), open_session(client))\n"
        # DuckDB 1 imports pyarrow itself.
        "large = {'pyarrow'} if sys.modules['duckdb'].__version__ > '2' else set()\n"
        "print(report.exit_code, report.tally.polled, ({'dlt'} | large) & set(sys.modules))\n"
    )
    words = [sys.executable, "-c", code, KEY, filled.url, str(filled.database)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout == "0 4 set()\n", done.stderr


def test_nothing_is_asked_twice_when_there_is_news(contract: Contract, filled: Warehouse) -> None:
    contract.stream("dc_two").emit(f"{START + 200_000}-0", b'"news"')
    filled.load()
    asked = windows_asked(contract)
    assert len(asked) == len(set(asked)) == 4
    assert filled.one(PACKAGES) == (2,)
    assert ("dc_two", "", f"{START + 200_000}-0") in filled.events()
    assert filled.rows(RUNS)[1] == (4, 1, 0)


def test_loss_after_quiet_runs_is_found(contract: Contract, filled: Warehouse) -> None:
    for _ in range(3):
        filled.load()
    contract.stream("dc_one").emit_many(140, START + 200_000)
    report = filled.load()
    assert [gap["verdict"] for gap in report.tally.gaps] == ["overrun"]
    assert filled.one(PACKAGES) == (2,)
    ((_, after_id, _, least, _, most),) = filled.gaps("dc_one")
    assert after_id == f"{START + 99_000}-0"
    assert least <= 40 <= most


def touch(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("CREATE TABLE mine (n INTEGER); CHECKPOINT")


def forget_state(warehouse: Warehouse) -> None:
    (warehouse.target.working_dir / "state.json").write_text("{", encoding="utf-8")


def leave_pending(warehouse: Warehouse) -> None:
    (warehouse.target.working_dir / "normalize" / "extracted" / "1.5").mkdir()


@pytest.mark.parametrize(
    "change", [touch, lambda w: (w.folder / "events.duckdb.dlt/left-as").unlink()]
)
def test_what_is_out_of_the_ordinary_goes_dlts_way(
    filled: Warehouse, change: Callable[[Warehouse], object]
) -> None:
    change(filled)
    assert filled.load().exit_code == 0
    assert filled.one(PACKAGES) == (2,)


@pytest.mark.parametrize("spoil", [forget_state, leave_pending])
def test_a_spoiled_folder_is_never_taken_for_quiet(
    filled: Warehouse, spoil: Callable[[Warehouse], None]
) -> None:
    spoil(filled)
    assert quiet_run._state_of(filled.target) is None


@pytest.mark.parametrize("arguments", [{"full_window": True}, {"only": "entities"}])
def test_a_run_that_was_asked_for_more_goes_dlts_way(
    filled: Warehouse, arguments: dict[str, Any]
) -> None:
    filled.load(**arguments)
    assert filled.one(PACKAGES) == (2,)


def test_a_changed_list_is_news(contract: Contract, filled: Warehouse) -> None:
    contract.lists["/users/me/sources"][0]["active"] = False
    filled.load()
    history = "SELECT active, _dlt_valid_to IS NULL FROM sources WHERE id = 'dc_one' ORDER BY 2"
    assert filled.rows(history) == [(True, False), (False, True)]


def test_a_stream_that_failed_is_recorded_and_its_recovery_too(
    contract: Contract, filled: Warehouse
) -> None:
    stream = contract.streams.pop(("dc_one", ""))
    assert filled.load().exit_code == 3
    assert filled.status("dc_one", "failures") == (1,)
    contract.streams["dc_one", ""] = stream
    assert filled.load().exit_code == 0
    assert filled.status("dc_one", "failures, last_error") == (0, None)


def test_a_locked_database_is_waited_for(filled: Warehouse) -> None:
    code = (
        "import duckdb, sys\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print(1, flush=True); input()"
    )
    words = [sys.executable, "-c", code, str(filled.database)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        assert filled.load().exit_code == 5
        reader.communicate("\n")
    assert filled.load().exit_code == 0
    assert [polled for polled, *_ in filled.rows(RUNS)] == [4, 4, 4]


def test_killed_before_the_state_is_replaced(filled: Warehouse) -> None:
    kept: dict[Path, bytes] = {
        path: path.read_bytes()
        for path in (
            filled.target.working_dir / "state.json",
            filled.folder / "events.duckdb.dlt/left-as",
        )
    }
    filled.load()
    for path, content in kept.items():
        path.write_bytes(content)
    events = filled.events()
    assert filled.load().exit_code == 0
    assert filled.events() == events
    assert [polled for polled, *_ in filled.rows(RUNS)] == [4, 4, 4]


def test_old_packages_are_followed_by_a_new_one(
    filled: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "OBJECTS_FRESH_S", 0)
    filled.load()
    assert filled.one(PACKAGES) == (2,)


def test_usage_is_taken_by_each_load(contract: Contract, filled: Warehouse) -> None:
    contract.orgs.append("o_Team1")
    contract.lists["/orgs/o_Team1/sources"] = []
    contract.lists["/workspaces/o_Team1/subscriptions"] = []
    filled.load()
    for _ in range(2):
        assert filled.load().exit_code == 0
    assert filled.one(PACKAGES) == (1,)
    assert filled.one("SELECT count(*), count(DISTINCT _dlt_id) FROM users") == (4, 4)
    snapshots = "SELECT count(*), min(typeof(snapshot_at)) FROM workspaces WHERE id = 'o_Team1'"
    assert filled.one(snapshots) == (3, "TIMESTAMP WITH TIME ZONE")
    orgs = "SELECT DISTINCT org_ids ->> '$[0]' FROM users ORDER BY ALL"
    assert filled.rows(orgs) == [("o_Team1",), (None,)]


@pytest.mark.parametrize("path", ["/users/me/webhooks", "/components/sc_made"])
def test_what_a_look_leaves_out_is_asked_again_after_a_failure(
    contract: Contract, filled: Warehouse, path: str
) -> None:
    contract.lists["/users/me/sources"][0]["component_id"] = "sc_made"
    contract.broken[path, 0] = Reply(b'{"error":"no"}', 400)
    for _ in range(2):
        report = filled.load()
        assert report.exit_code == 3
        assert any(path.rsplit("/", 1)[1] in name for name in report.tally.errors)
    del contract.broken[path, 0]
    assert filled.load().exit_code == 0
    packages = filled.one(PACKAGES)
    assert filled.load().exit_code == 0
    assert filled.one(PACKAGES) == packages


def test_loads_of_events_alone_hide_no_change_of_objects(
    contract: Contract, filled: Warehouse
) -> None:
    contract.lists["/users/me/sources"][0]["active"] = False
    for number in range(2):
        contract.stream("dc_two").emit(f"{START + 200_000 + number}-0")
        assert filled.load(only="events").exit_code == 0
    assert filled.load().exit_code == 0
    current = "SELECT active FROM sources WHERE id = 'dc_one' AND _dlt_valid_to IS NULL"
    assert filled.one(current) == (False,)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"h": "garbage"},
        "text",
        pytest.param({"w": 5}, marks=pytest.mark.chaos),
        pytest.param({"p": "x"}, marks=pytest.mark.chaos),
    ],
)
def test_an_unreadable_state_is_read_afresh(
    contract: Contract, filled: Warehouse, spoilt: Any
) -> None:
    path = filled.target.working_dir / "state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    streams = state["sources"]["pipedream"]["resources"]["source_event_summaries"]["streams"]
    streams["dc_one/"] = {**streams["dc_one/"], **spoilt} if isinstance(spoilt, dict) else spoilt
    path.write_text(json.dumps(state), encoding="utf-8")
    events = filled.events()
    assert filled.load().exit_code == 0
    assert filled.status("dc_one", "window_size, last_id") == (100, f"{START + 99_000}-0")
    contract.stream("dc_one").emit(f"{START + 300_000}-0")
    assert not filled.load().tally.gaps
    assert len(filled.events()) == len(events) + 1


def test_a_file_that_took_the_place_of_ours_is_not_taken_for_it(
    contract: Contract, filled: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = filled.database.read_bytes()
    contract.stream("dc_one").emit_many(20, START + 200_000)
    filled.load()
    recorded = quiet_run._recorded

    def replaced_first(*arguments: Any) -> bool:
        filled.database.write_bytes(backup)
        return recorded(*arguments)

    monkeypatch.setattr(quiet_run, "_recorded", replaced_first)
    filled.load()
    assert len(filled.events()) == 220


def test_a_first_load_that_comes_late_doubles_nothing(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.stream("dc_one").emit_many(100, START)
    with patch.object(dlt_load, "drain", side_effect=[False, DestinationUnavailable("away")]):
        assert warehouse.load().exit_code == 5
    assert not warehouse.database.exists()
    contract.stream("dc_one").emit_many(20, START + 200_000)
    warehouse.pipeline().run(warehouse.source())
    assert len(warehouse.events()) == 100
    assert warehouse.load().exit_code == 0
    assert len(warehouse.events()) == 120
    assert not warehouse.target.first_load.exists()
    assert len(warehouse.rows("SELECT emitter_id, channel FROM stream_status")) == 1
