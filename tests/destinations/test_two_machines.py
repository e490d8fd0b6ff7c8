"""Two working folders, as of two machines, load to one file: no doubles, no holes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from dlt.common import time as dlt_time
from dlt.destinations.exceptions import DatabaseTerminalException

from pipedream_source import load_pending
from pipedream_source.running.load import dlt_load
from pipedream_source.running.packages import drain
from pipedream_source.running.state import stored_states
from tests.destinations.holding import held
from tests.integration.contract import HOUR, Contract, Warehouse
from tests.integration.contract.command import Command

START = int(time.time() * 1000) - HOUR


@pytest.fixture
def other(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """The same database from another machine."""
    twin = Warehouse(warehouse.folder, warehouse.url)
    twin.target = replace(warehouse.target, pipelines_dir=tmp_path / "elsewhere")
    return twin


@pytest.mark.chaos
def test_they_take_turns(contract: Contract, warehouse: Warehouse, other: Warehouse) -> None:
    stream = contract.stream("dc_a")
    for n, machine in enumerate((warehouse, other, warehouse, other, other, warehouse)):
        stream.emit_many(90, START + n * 100_000)
        report = machine.load(fail_on_loss=True)
        assert report.exit_code == 0, report.as_dict()
    assert warehouse.events() == contract.emitted()
    assert warehouse.gaps("dc_a") == []
    assert warehouse.status("dc_a", "last_id, verdict") == (stream.emitted[-1].id, "contiguous")


def test_a_package_from_older_cursors_comes_late(
    contract: Contract, warehouse: Warehouse, other: Warehouse
) -> None:
    stream, quiet = contract.stream("dc_a"), contract.stream("dc_b")
    quiet.emit_many(10, START)
    stream.emit_many(90, START)
    assert warehouse.load().exit_code == other.load().exit_code == 0
    with held(warehouse.database):
        # Several packages: dlt's version number of this folder's state runs ahead.
        for n in (1, 2, 3):
            stream.emit_many(30, START + n * 100_000)
            assert other.load().exit_code == 5
    for n, code in ((4, 4), (5, 0)):
        stream.emit_many(90, START + n * 100_000)
        quiet.emit_many(5, START + n * 100_000)
        # It cannot know yet that what it missed was read by the other.
        assert warehouse.load(fail_on_loss=True).exit_code == code
    stream.emit_many(20, START + 700_000)
    late = other.load(fail_on_loss=True)
    assert (late.exit_code, late.tally.gaps) == (0, []), late.as_dict()
    stream.emit_many(90, START + 800_000)
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.gaps("dc_a") == []
    assert warehouse.status("dc_a", "last_id, verdict") == (stream.emitted[-1].id, "contiguous")


@pytest.mark.chaos
@pytest.mark.parametrize("lost", [0, 60])
def test_a_gap_that_the_other_machine_had_closed(
    contract: Contract, warehouse: Warehouse, other: Warehouse, lost: int
) -> None:
    """Under the lock a machine polls from cursors that the other one has long moved on."""
    stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == other.load().exit_code == 0
    for n in (1, 2, 3):
        stream.emit_many(90, START + n * 100_000)
        assert warehouse.load().exit_code == 0
    # Lost to both: more events than a window holds, after the last poll that got through.
    stream.emit_many(100 + lost if lost else 20, START + 500_000)
    with held(warehouse.database):
        assert other.load().exit_code == 5
    assert other.load().exit_code == 0
    assert len(warehouse.gaps("dc_a")) == bool(lost)
    missing = {("dc_a", "", e.id) for e in stream.emitted} - set(warehouse.events())
    assert len(missing) == lost
    assert warehouse.load(fail_on_loss=True).exit_code == 0


def test_both_miss_events_after_the_same_one(
    contract: Contract, warehouse: Warehouse, other: Warehouse
) -> None:
    """Two gaps that begin with the same event are two, and neither closes the other.

    Not even where both are found within one second, which is as fine as the API's `Date` is.
    """
    contract.date_s = time.time()
    stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == other.load().exit_code == 0
    stream.emit_many(130, START + 100_000)
    assert warehouse.load().exit_code == 0
    stream.emit_many(170, START + 300_000)
    with held(warehouse.database):
        assert other.load().exit_code == 5
    assert other.load().exit_code == 0
    loaded = {key[2] for key in warehouse.events()}
    # Ids of one length, without sequences: their texts are in their order.
    missing = [event.id for event in stream.emitted if event.id not in loaded]
    assert len(missing) == 30 + 70
    gaps = [gap[1:3] for gap in warehouse.gaps("dc_a")]
    assert [i for i in missing if not any(after < i < before for after, before in gaps)] == []


@contextmanager
def clock_behind(seconds: float) -> Iterator[None]:
    """Let dlt's clock, which load ids come from, be behind while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dlt_time, "precise_time", lambda: time.time() - seconds)
        patch.setattr(dlt_time.increasing_precise_time, "_last", 0.0)
        yield


def test_a_stream_that_only_the_machine_with_the_clock_behind_knows(
    contract: Contract, warehouse: Warehouse, other: Warehouse
) -> None:
    """Without its cursor nothing would tell that the stream was overrun."""
    contract.stream("dc_a").emit_many(5, START)
    with clock_behind(7_200):
        assert other.load().exit_code == 0
    assert warehouse.load().exit_code == 0
    stream = contract.stream("dc_b")
    stream.emit_many(50, START + 100_000)
    with clock_behind(7_200):
        with held(warehouse.database):
            assert other.load().exit_code == 5
        # As if it were killed then: no later load of it has a higher id.
        assert load_pending(other.target.pipeline())
    stream.emit_many(150, START + 500_000)
    assert warehouse.load(fail_on_loss=True).exit_code == 4
    assert [gap[0] for gap in warehouse.gaps("dc_b")] == ["overrun"]
    # All is known of the other one now: it brings no news.
    contract.stream("dc_a").emit_many(5, START + 600_000)
    assert warehouse.load().notes == []
    ids = warehouse.rows("SELECT load_id FROM _dlt_loads ORDER BY inserted_at")
    assert sorted(ids)[1] == ids[2], "the other machine's late load has the lower id"


def test_a_folder_whose_first_load_was_killed_at_its_end(
    contract: Contract, warehouse: Warehouse, other: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract.stream("dc_a").emit_many(5, START)
    assert warehouse.load().exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(dlt_load, "close_load", lambda *_: None)
        assert other.load().exit_code == 0
    stream = contract.stream("dc_b")
    stream.emit_many(50, START + 100_000)
    assert warehouse.load().exit_code == 0
    stream.emit_many(150, START + 500_000)
    assert other.load(fail_on_loss=True).exit_code == 4
    assert [gap[0] for gap in warehouse.gaps("dc_b")] == ["overrun"]


def test_a_first_load_that_comes_late_and_is_killed_doubles_nothing(
    contract: Contract, warehouse: Warehouse, other: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was extracted to append to a new file, which the other machine made meanwhile."""
    stream = contract.stream("dc_a")
    stream.emit_many(5, START)
    with monkeypatch.context() as patch:
        patch.setattr(drain, "_load_pending", killed)
        with pytest.raises(KeyboardInterrupt):
            warehouse.load()
    assert not warehouse.database.exists()
    assert other.load().exit_code == 0
    stream.emit_many(5, START + 100_000)
    with monkeypatch.context() as patch:
        patch.setattr(drain, "settle_first_load", killed)
        with pytest.raises(KeyboardInterrupt):
            warehouse.load()
    assert warehouse.one("SELECT count(*) FROM _dlt_loads") == (2,)
    assert len(warehouse.events()) == 5
    assert other.load().exit_code == warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.gaps("dc_a") == []


def killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.chaos
def test_both_at_once(contract: Contract, warehouse: Warehouse, other: Warehouse) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(90, START)
    assert warehouse.load().exit_code == other.load().exit_code == 0
    stream.emit_many(80, START + 100_000)
    folder = str(other.target.pipelines_dir)
    with (
        Command(warehouse).start("load", "--lock-wait", "30") as one,
        Command(other).start("load", "--lock-wait", "0", "--pipelines-dir", folder) as two,
    ):
        for process in (one, two):
            process.communicate(timeout=120)
    assert one.returncode == 0
    assert two.returncode in (0, 5)
    stream.emit_many(80, START + 200_000)
    assert other.load(fail_on_loss=True).exit_code == 0
    stream.emit_many(80, START + 300_000)
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.gaps("dc_a") == []


def add_states(database: Path, load_ids: str, *, status: int | None) -> None:
    """Store copies of a state as of other loads: numbers, made by a query; the last is another's.

    Args:
        status: of these loads; None for ones that were killed before they were recorded.
    """
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET search_path = 'pipedream'")
        connection.execute(
            "INSERT INTO _dlt_pipeline_state SELECT s.* REPLACE (n::VARCHAR AS _dlt_load_id, "
            "CASE n WHEN 20 THEN 'theirs' ELSE pipeline_name END AS pipeline_name) "
            f"FROM _dlt_pipeline_state AS s, ({load_ids}) AS r(n)"
        )
        if status is not None:
            connection.execute(
                "INSERT INTO _dlt_loads SELECT l.* REPLACE (n::VARCHAR AS load_id, "
                f"{status} AS status) FROM _dlt_loads AS l, ({load_ids}) AS r(n)"
            )


def test_old_states_do_not_pile_up(
    contract: Contract, warehouse: Warehouse, other: Warehouse
) -> None:
    states = "SELECT count(*), count(DISTINCT pipeline_name) FROM _dlt_pipeline_state"
    contract.stream("dc_one").emit("1700000000000-0")
    warehouse.load()
    add_states(warehouse.database, "FROM range(1, 21)", status=0)
    assert warehouse.one(states) == (21, 2)
    pipeline = warehouse.target.pipeline()
    with pipeline.sql_client() as sql:
        # Other machines left them since.
        stored_states.forget_old_states(pipeline, sql)
    assert warehouse.one(states) == (21, 2)
    contract.stream("dc_one").emit("1700000000001-0")
    warehouse.load()
    assert warehouse.one(states) == (11, 2)
    contract.stream("dc_one").emit("1700000000002-0")
    other.load()
    assert other.events() == contract.emitted()
    assert warehouse.one("SELECT count(*) FROM event_gaps") == (0,)


def test_states_of_killed_loads_displace_no_other(
    contract: Contract, warehouse: Warehouse, other: Warehouse
) -> None:
    """A machine whose clock is ahead was killed over and over, before its loads were recorded."""
    stream = contract.stream("dc_one")
    stream.emit_many(5, START)
    warehouse.load()
    add_states(warehouse.database, "FROM range(9000000000, 9000000012)", status=None)
    stream.emit_many(5, START + 100_000)
    warehouse.load()
    stream.emit_many(150, START + 200_000)
    other.load()
    # Only the cursor tells that something is missing.
    assert [gap[0] for gap in warehouse.gaps("dc_one")] == ["overrun"]


def test_states_that_cannot_be_removed_fail_no_load(
    contract: Contract, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise DatabaseTerminalException(PermissionError("DELETE is not granted"))

    monkeypatch.setattr(stored_states, "_delete_old_states", denied)
    contract.stream("dc_one").emit_many(5, START)
    report = warehouse.load()
    assert (report.exit_code, report.error) == (0, None)
    assert warehouse.target.noted_load_id
