"""A power cut: files lose what was written last, are empty, or end in zeros.

Whatever file it is, the next load ends well or says in clear words which file is damaged, why, and
what to do; then either everything is there, or what is not there any more is in `event_gaps`.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.crash.scene import Scene


def lose_all(path: Path) -> None:
    path.write_bytes(b"")


def lose_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_the_end(path: Path) -> None:
    """As many bytes as there were, the last ones zeros: the size was kept, the data was not."""
    content, kept = path.read_bytes(), path.stat().st_size * 2 // 3
    path.write_bytes(content[:kept] + b"\0" * (len(content) - kept))


def lose_the_file(path: Path) -> None:
    path.unlink()


CUTS: list[Callable[[Path], None]] = [lose_all, lose_half, lose_the_end, lose_the_file]
# Files between runs, below the folder beside the database.
SETTLED = [
    "lock",
    "left-as",
    "pipedream_events/state.json",
    "pipedream_events/schemas/pipedream.schema.json",
    "pipedream_events/normalize/.version",
    "pipedream_events/load/.version",
    "pipedream_events/trace.pickle",
    "pipedream_events/load/loaded/*/load_package_state.json",
    "pipedream_events/load/loaded/*/schema.json",
    "pipedream_events/load/loaded/*/applied_schema_updates.json",
    "pipedream_events/load/loaded/*/package_completed.json",
]
# Files of a package that waits, and what cannot be had again when one is damaged.
EXTRACTED = "pipedream_events/normalize/extracted/*/"
NORMALIZED = "pipedream_events/load/normalized/*/"
PENDING = {
    "after commit": [
        *("pipedream_events/state.json", "pipedream_events/normalize/.version"),
        *(EXTRACTED + name for name in ("load_package_state.json", ".restore/state.json")),
    ],
    "after merge": [
        *("pipedream_events/state.json", "pipedream_events/schemas/pipedream.schema.json"),
        *(NORMALIZED + name for name in ("load_package_state.json", "*_jobs/*.sql")),
        NORMALIZED + "applied_schema_updates.json",
        NORMALIZED + ".pending_transitions/*",
    ],
    "before load": [
        *("pipedream_events/state.json", NORMALIZED + "schema_updates.json"),
    ],
}


# Files without which rows, or the way to load them, are gone.
ROWS = {
    "after commit": [
        *(EXTRACTED + name for name in ("schema.json", "new_jobs/source_event_summaries.*")),
        EXTRACTED + "new_jobs/*.gz",
    ],
    "after merge": [
        *(NORMALIZED + name for name in ("schema.json", "*_jobs/source_event_summaries.*.parquet")),
    ],
}


def damage(scene: Scene, pattern: str, cut: Callable[[Path], None]) -> None:
    found = list(scene.folder.glob(pattern))
    assert found, pattern
    for path in found:
        cut(path)


def check_settled(scene: Scene, patterns: list[str], cuts: list[Callable[[Path], None]]) -> None:
    """Damage between two runs costs nothing: the cursors stand in the destination too."""
    scene.emit()
    scene.load_well()
    for pattern in patterns:
        for cut in cuts:
            damage(scene, pattern, cut)
            scene.recover(forgotten=True)


@pytest.mark.parametrize("cut", [lose_the_end])
@pytest.mark.chaos
def test_a_cut_between_runs(scene: Scene, cut: Callable[[Path], None]) -> None:
    check_settled(scene, ["pipedream_events/state.json"], [cut])


@pytest.mark.chaos
@pytest.mark.parametrize("pattern", SETTLED)
def test_a_cut_of_any_file_between_runs(scene: Scene, pattern: str) -> None:
    check_settled(scene, [pattern], CUTS)


def check_pending(scene: Scene, at: str, pattern: str, cut: Callable[[Path], None]) -> None:
    """What waits is loaded although the API forgot it, and its cursors are those that count."""
    scene.emit()
    scene.load_well()
    scene.emit()
    assert scene.kill(at)
    damage(scene, pattern, cut)
    scene.recover(forgotten=True)


@pytest.mark.parametrize("at", ["after commit"])
def test_a_cut_with_a_package_pending(scene: Scene, at: str) -> None:
    check_pending(scene, at, "pipedream_events/state.json", lose_half)


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("at", "pattern"), [(at, pattern) for at, patterns in PENDING.items() for pattern in patterns]
)
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_of_any_file_with_a_package_pending(
    scene: Scene, at: str, pattern: str, cut: Callable[[Path], None]
) -> None:
    check_pending(scene, at, pattern, cut)


def check_rows(scene: Scene, at: str, pattern: str, cut: Callable[[Path], None]) -> None:
    """Rows that cannot be read are read again; what the API forgot of them is in a gap."""
    scene.emit()
    scene.load_well()
    for shown in (True, False):
        scene.emit()
        newest = {stream: s.emitted[-16].id for stream, s in scene.workspace.streams.items()}
        assert scene.kill(at)
        damage(scene, pattern, cut)
        if not shown:
            scene.forget()
            scene.emit(5)
        told = scene.load_well().told
        assert "The working folder was damaged" in told
        assert Path(pattern).name.split(".")[0] in told
        if shown:
            scene.check()
            assert scene.gaps() == set()
        else:
            assert scene.gaps() == {(*stream, newest[stream], "purged") for stream in newest}
            scene.load_well()


@pytest.mark.parametrize("cut", [lose_the_end])
@pytest.mark.chaos
def test_a_cut_of_rows(scene: Scene, cut: Callable[[Path], None]) -> None:
    check_rows(scene, "after commit", EXTRACTED + "new_jobs/source_event_summaries.*", cut)


@pytest.mark.chaos
@pytest.mark.parametrize("cut", CUTS[:3])
@pytest.mark.parametrize(
    ("at", "pattern"), [(at, pattern) for at, patterns in ROWS.items() for pattern in patterns]
)
def test_a_cut_of_any_rows(
    scene: Scene, at: str, pattern: str, cut: Callable[[Path], None]
) -> None:
    check_rows(scene, at, pattern, cut)


def test_a_cut_of_the_older_of_two_packages(scene: Scene) -> None:
    """The cursors of the newer one are not taken: what only the older one had would be missed."""
    scene.emit()
    scene.load_well()
    with duckdb.connect(str(scene.warehouse.database)):
        for _ in range(2):
            scene.emit()
            assert scene.load().code == 5
    older = min(scene.packages_waiting())
    damage(scene, f"pipedream_events/load/normalized/{older}/new_jobs/*.parquet", lose_half)
    for stream in scene.workspace.streams.values():
        stream.shown = stream.shown[-15:]
    scene.emit(5)
    scene.load_well()
    emitted = scene.workspace.emitted()
    missing = {key for key in emitted if key not in scene.warehouse.events()}
    # Of three rounds of fifteen and one of five, the second is gone.
    assert {key[2] for key in missing} == {
        e.id for e in scene.workspace.streams["dc_a", ""].emitted[15:30]
    }
    (gap,) = scene.warehouse.gaps("dc_a")
    assert gap[:2] == ("purged", scene.workspace.streams["dc_a", ""].emitted[14].id)


@pytest.mark.parametrize("cut", [lose_half, pytest.param(lose_the_end, marks=pytest.mark.chaos)])
def test_a_cut_of_the_database(scene: Scene, cut: Callable[[Path], None]) -> None:
    """It is never overwritten; once it was moved away, what the API shows is read again."""
    scene.emit()
    scene.load_well()
    scene.emit()
    database = scene.warehouse.database
    cut(database)
    content = database.read_bytes()
    ended = scene.load()
    assert ended.code in (1, 2), "found while it was written, or when it was opened"
    for word in (str(database), "is damaged", "move it away"):
        assert word in ended.report["error"]
    assert database.read_bytes() == content
    database.rename(database.with_suffix(".damaged"))
    assert "does not hold what was loaded last" in scene.load_well().told
    scene.check()
    assert scene.gaps() == set()


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.chaos
def test_a_cut_of_the_write_ahead_log(scene: Scene, cut: Callable[[Path], None]) -> None:
    """What it held is loaded again from the package; a log that DuckDB refuses is named."""
    scene.emit()
    scene.load_well()
    scene.emit()
    assert scene.kill("after copy:source_event_summaries")
    log = scene.warehouse.database.with_name("events.duckdb.wal")
    cut(log)
    ended = scene.load()
    if ended.code:
        assert ended.code == 2
        assert str(log) in ended.report["error"]
        assert "move it away (with the .wal file" in ended.report["error"]
        log.unlink()
        scene.load_well()
    scene.check()
    assert scene.gaps() == set()
