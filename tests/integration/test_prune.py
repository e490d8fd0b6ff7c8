"""`prune`: old payloads end in the archive or stay in the database, whatever happens meanwhile."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from pyarrow import parquet

from pipedream_source.exceptions import PipedreamError
from pipedream_source.running.destination.lock import hold_lock
from pipedream_source.running.destination.target import Target
from pipedream_source.running.maintenance import prune
from pipedream_source.sandbox.server import Sandbox
from tests.destinations.holding import held
from tests.integration.command import DATABASE, ROOT, Command, id_of
from tests.integration.invoking import on_terminal
from tests.integration.pruning import TABLES, Dying, assert_nothing_lost, payloads


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def rest(database: Path) -> dict[str, list[Any]]:
    """Everything else in the database."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        left_out = "EXCLUDE (event, event_state)"
        return {
            name: sorted(
                map(
                    repr,
                    connection.execute(
                        f"SELECT * {left_out if name in TABLES else ''} FROM pipedream.{name}"
                    ).fetchall(),
                )
            )
            for (name,) in names
        }


def test_old_payloads_move_to_the_archive(
    target: Target, cutoff: datetime, world: tuple[Command, str], tmp_path: Path
) -> None:
    before, others = payloads(target.database), rest(target.database)
    command = Command(tmp_path)
    proof = [command.run(*verb, "--json").stdout for verb in (["prove"], ["status"], ["gaps"])]
    words = ("prune", "--payloads-older-than", world[1], "--archive", "old/payloads")
    planned = command.json(*words, "--dry-run")
    assert payloads(target.database) == before
    assert not (tmp_path / "old").exists()
    told = command.json(*words, "--yes")
    gone = assert_nothing_lost(before, target, tmp_path / "old/payloads")
    assert gone == told["payloads"] == planned["payloads"] > 500
    assert told["bytes"] == planned["bytes"] > 100_000
    assert {Path(one["file"]).parent.name for one in told["tables"]} == {"payloads"}
    assert rest(target.database) == others
    assert [
        command.run(*verb, "--json").stdout for verb in (["prove"], ["status"], ["gaps"])
    ] == proof
    states = "SELECT event_state, event IS NULL, emitted_at < $1, count(*) FROM {} GROUP BY ALL"
    with duckdb.connect(str(target.database), read_only=True) as connection:
        query = " UNION ALL ".join(states.format(f"pipedream.{table}") for table in TABLES)
        found = {row[:3] for row in connection.execute(query, [cutoff]).fetchall()}
    # What never had a payload, or is newer, is left as it is.
    assert found == {("pruned", True, True), ("missing", True, True), ("full", False, False)}
    for path in (tmp_path / "old", tmp_path / "old/payloads"):
        assert path.stat().st_mode & 0o777 == 0o700
    files = list((tmp_path / "old/payloads").iterdir())
    assert [oct(f.stat().st_mode & 0o777) for f in files] == ["0o600"] * 3
    again = command.run(*words, "--yes")
    assert (again.returncode, again.stdout[:16]) == (0, "Nothing to prune")
    assert sorted((tmp_path / "old/payloads").iterdir()) == sorted(files)


def test_no_load_takes_it_for_damage_or_brings_payloads_back(
    sandbox: Sandbox, world: tuple[Command, str], tmp_path: Path
) -> None:
    sandbox.reset()
    command = Command(tmp_path, sandbox)
    assert command.run("load").returncode == 0
    target = Target(database=tmp_path / DATABASE)
    noted = target.noted_load_id
    assert target.is_untouched(noted)
    done = command.run("prune", "--payloads-older-than", "2100-01-01", "--archive", "old", "--yes")
    assert (done.returncode, done.stdout[:6]) == (0, "Pruned"), done.stderr
    assert target.is_untouched(noted)
    pruned = payloads(target.database)
    proof = json.loads(command.run("prove", "--json").stdout)
    assert proof["complete"]
    for words in ([], ["--full-window"], ["--full-window"]):
        loaded = command.json("load", "--fail-on-loss", *words)
        assert (loaded["warnings"], loaded["rows_gone"], loaded["gaps"]) == ([], {}, [])
        if not words:
            assert all(loaded["rows"].get(table, 0) == 0 for table in TABLES)
        assert payloads(target.database) == pruned
    later = json.loads(command.run("prove", "--json").stdout)
    assert [s["events"] for s in later["streams"]] == [s["events"] for s in proof["streams"]]
    assert (later["complete"], later["lost"]) == (True, proof["lost"])
    sandbox.advance(60)
    sandbox.emit(id_of(sandbox, "GitHub code"), event={"new": 1})
    rows = command.json("load")["rows"][TABLES[0]]
    new = [event for event in payloads(target.database)[TABLES[0]].values() if event]
    assert (len(new), {"new": 1} in map(json.loads, new)) == (rows, True)
    with duckdb.connect(str(target.database)) as connection:
        connection.execute("UPDATE pipedream.sources SET name = 'somebody else wrote here'")
    untouched = target.is_untouched(target.noted_load_id)
    done = command.run("prune", "--payloads-older-than", "2100-01-01", "--archive", "old", "--yes")
    assert (done.returncode, untouched) == (0, False)
    assert not target.is_untouched(target.noted_load_id)


@pytest.mark.parametrize(
    "point",
    [
        *("Archiving", "Verifying", "TEMP TABLE proven_workflow"),
        *("UPDATE", "workflow_errors SET", "commit"),
    ],
)
def test_an_interrupt_leaves_each_payload_somewhere(
    point: str, target: Target, cutoff: datetime, tmp_path: Path
) -> None:
    before = payloads(target.database)
    real = duckdb.connect

    def tell(step: str, done: int, _: int) -> None:
        if step == point and done > 0:
            raise KeyboardInterrupt

    def connect(*arguments: Any, **settings: Any) -> Any:
        return Dying(real(*arguments, **settings), point)

    with patch("duckdb.connect", connect), pytest.raises(KeyboardInterrupt):
        prune.prune_payloads(target, cutoff, tmp_path / "old", tell)
    assert assert_nothing_lost(before, target, tmp_path / "old") == 0
    assert not list((tmp_path / "old").glob(".*"))
    done = prune.prune_payloads(target, cutoff, tmp_path / "old")
    assert assert_nothing_lost(before, target, tmp_path / "old") == sum(one.rows for one in done)


def test_a_database_that_fails_drops_nothing(
    target: Target, cutoff: datetime, tmp_path: Path
) -> None:
    before = payloads(target.database)
    full = patch.object(Dying, "commit", side_effect=duckdb.OutOfMemoryException("no memory left"))
    real = duckdb.connect
    with (
        patch("duckdb.connect", lambda *a, **k: Dying(real(*a, **k), "nowhere")),
        full,
        pytest.raises(PipedreamError, match=r"no memory left\. Nothing was dropped\."),
    ):
        prune.prune_payloads(target, cutoff, tmp_path / "old")
    assert payloads(target.database) == before


@pytest.mark.parametrize("point", ["Archiving", "commit"])
def test_a_kill_leaves_each_payload_somewhere(
    point: str, target: Target, cutoff: datetime, tmp_path: Path
) -> None:
    before = payloads(target.database)
    code = (
        "import os, sys\nfrom datetime import datetime\nfrom pathlib import Path\n"
        "from pipedream_source.running.maintenance import prune\n"
        "from pipedream_source.running.destination.target import Target\n"
        "database, archive, cutoff, point = sys.argv[1:]\n"
        "def tell(step, done, total):\n    step == point and os._exit(9)\n"
        "class Run(prune._Pruning):\n    def drop(self, archived):\n"
        "        self._connection.execute('UPDATE pipedream.workflow_errors SET event = NULL')\n"
        "        os._exit(9)\n"
        "if point == 'commit': prune._Pruning = Run\n"
        "target = Target(database=Path(database))\n"
        "prune.prune_payloads(target, datetime.fromisoformat(cutoff), Path(archive), tell)\n"
    )
    words = [str(target.database), str(tmp_path / "old"), cutoff.isoformat(), point]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", code, *words], env=environment, check=False)
    assert ended.returncode == 9
    assert assert_nothing_lost(before, target, tmp_path / "old") == 0
    prune.prune_payloads(target, cutoff, tmp_path / "old")
    assert assert_nothing_lost(before, target, tmp_path / "old") > 500
    assert not list((tmp_path / "old").glob(".*"))


def change_a_payload(path: Path) -> None:
    table = parquet.read_table(path)
    events = table["event"].to_pylist()
    events[7] = events[7].replace("a", "b")
    at = table.schema.get_field_index("event")
    changed = table.set_column(at, table.schema.field(at), [events])
    parquet.write_table(changed, path)


def change_a_payload_and_its_digest(path: Path) -> None:
    change_a_payload(path)
    table = parquet.read_table(path)
    digests = [hashlib.sha256(e.encode()).hexdigest() for e in table["event"].to_pylist()]
    at = table.schema.get_field_index("event_sha256")
    parquet.write_table(table.set_column(at, table.schema.field(at), [digests]), path)


def drop_a_row(path: Path) -> None:
    parquet.write_table(parquet.read_table(path).slice(1), path)


def repeat_a_row(path: Path) -> None:
    table = parquet.read_table(path)
    rows = [*range(1, len(table)), 1]
    parquet.write_table(table.take(rows), path)


def turn_bits(path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = len(content) // 3
    content[at : at + 64] = bytes(byte ^ 0xFF for byte in content[at : at + 64])
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    "damage",
    [change_a_payload, change_a_payload_and_its_digest, drop_a_row, repeat_a_row, turn_bits, cut],
)
def test_nothing_is_dropped_that_the_archive_does_not_give_back(
    damage: Callable[[Path], None], target: Target, cutoff: datetime, tmp_path: Path
) -> None:
    before = payloads(target.database)
    real = prune._Pruning._verify

    def verify(self: Any, old: prune.OldPayloads, path: Path) -> None:
        if old.table == "workflow_errors":
            damage(path)
        real(self, old, path)

    with (
        patch.object(prune._Pruning, "_verify", verify),
        pytest.raises(PipedreamError, match="nothing was dropped"),
    ):
        prune.prune_payloads(target, cutoff, tmp_path / "old")
    assert payloads(target.database) == before
    assert not list((tmp_path / "old").glob("workflow_errors*"))


def test_what_is_in_the_way_is_told(
    target: Target, world: tuple[Command, str], tmp_path: Path
) -> None:
    before = payloads(target.database)
    command = Command(tmp_path)
    words = ("prune", "--payloads-older-than", world[1], "--archive")
    (tmp_path / "file").write_text("not a folder")
    with hold_lock(target.folder / "lock"):
        assert command.run(*words, "old", "--yes").returncode == 75
    with held(target.database, "reader"):
        busy = command.run(*words, "old", "--yes")
    assert (busy.returncode, "in use by another process" in busy.stderr) == (5, True)
    for more, said in (
        (["file", "--yes"], "name a folder"),
        (["old"], "say --yes"),
        (["old", "--yes", "--destination", "postgres"], "DuckDB files only"),
        (["old", "--yes", "--dataset", "other"], "no dataset"),
        (["old", "--yes", "--database", "none.duckdb"], "does not exist"),
        (["old", "--payloads-older-than", "soon"], "--payloads-older-than takes a period"),
    ):
        done = command.run(*words, *more, COLUMNS="300")
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert payloads(target.database) == before
    assert not (tmp_path / "old").exists()


def test_a_person_types_the_name(
    target: Target, tmp_path: Path, world: tuple[Command, str]
) -> None:
    before = payloads(target.database)
    words = ("prune", "--payloads-older-than", world[1], "--archive", "old")
    code, seen = on_terminal(Command(tmp_path), *words, answer="yes")
    assert (code, "nothing was deleted" in seen) == (1, True)
    assert payloads(target.database) == before
    code, seen = on_terminal(Command(tmp_path), *words, answer=DATABASE)
    assert (code, "Pruned" in seen) == (0, True), seen
    assert assert_nothing_lost(before, target, tmp_path / "old") > 500


def test_two_runs_in_one_second_write_two_files(target: Target, tmp_path: Path) -> None:
    before = payloads(target.database)
    moments = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3)]
    with patch.object(prune, "datetime") as clock:
        clock.now.return_value = datetime(2026, 12, 1, tzinfo=UTC)
        for moment in moments:
            prune.prune_payloads(target, moment, tmp_path / "old")
    files = sorted(path.name for path in (tmp_path / "old").glob("workflow_errors*"))
    assert re.fullmatch(r"workflow_errors-20261201T000000-[0-9a-f]{12}-2\.parquet", files[0])
    assert len(files) > 1
    assert assert_nothing_lost(before, target, tmp_path / "old") > 500
