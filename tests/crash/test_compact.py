"""`compact`, killed anywhere or out of room: the database holds all rows, and loads go on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.nursery import KILLED, Ended
from tests.crash.scene import Scene
from tests.crash.test_power_cut import CUTS

COMPACT = ("compact", "--json", "--lock-wait", "0")
PLACES = ["after fill", "before replace", "after replace"]
EVERYWHERE = [
    *("after lock", "before make-copy", "after make-copy", "before fill", "before verify"),
    *("after verify", "before swap", "before rights", "after rights", "before sync", "after sync"),
    *("after swap", "before left-as", "after left-as"),
]


def compact(scene: Scene, **environment: str) -> Ended:
    return scene.nursery.run(scene.warehouse, *COMPACT, **environment)


def left_behind(scene: Scene) -> list[Path]:
    return [path for path in scene.warehouse.folder.glob(".*compact*/*") if path.is_file()]


def kill(scene: Scene, at: str) -> None:
    assert compact(scene, CRASH_AT=at).code == KILLED, f"{at} was never reached"
    scene.check()


def kill_everywhere(
    scene: Scene, places: list[str], *, cut: Callable[[Path], object] = Path.stat
) -> None:
    """The load after it takes nothing for lost; the next compaction begins from the start."""
    scene.emit()
    scene.load_well()
    for at in places:
        kill(scene, at)
        for path in left_behind(scene):
            cut(path)
        scene.emit(5)
        report = scene.load_well().report
        assert (report["warnings"], report["rows_gone"], report["gaps"]) == ([], {}, []), at
        scene.check()
    ended = compact(scene)
    assert ended.code == 0, ended.told
    assert not left_behind(scene)
    scene.recover(forgotten=True)


def test_killed_while_it_compacts(scene: Scene) -> None:
    kill_everywhere(scene, PLACES)


@pytest.mark.chaos
def test_killed_everywhere_while_it_compacts(scene: Scene) -> None:
    kill_everywhere(scene, EVERYWHERE)


@pytest.mark.chaos
@pytest.mark.parametrize("cut", CUTS[:3])
def test_a_power_cut_while_it_compacts(scene: Scene, cut: Callable[[Path], None]) -> None:
    """What it left may be anything: it is never looked at."""
    kill_everywhere(scene, [*PLACES[:2], "before verify", "before swap"], cut=cut)


@pytest.mark.parametrize("limit", [100_000, pytest.param(1_000_000, marks=pytest.mark.chaos)])
def test_the_disk_is_full_while_it_compacts(scene: Scene, limit: int) -> None:
    scene.emit()
    scene.load_well()
    database = scene.warehouse.database
    before = database.read_bytes()
    ended = compact(scene, FILE_LIMIT=str(limit))
    assert ended.code == 1, ended.told
    assert "It is as it was" in ended.report["error"]
    assert database.read_bytes() == before
    assert not left_behind(scene)
    scene.recover(forgotten=True)
