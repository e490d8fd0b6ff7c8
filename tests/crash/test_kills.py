"""kill -9 at any moment: after a rerun each event that a poll saw stands there once.

And the cursors are those of the last package that was committed: what the API forgets behind them
is noticed, and nothing else is.
"""

import logging
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.crash.nursery import KILLED
from tests.crash.scene import Scene

FIRST_RUN = ["after commit-package", "after normalized", "after make-file"]
LATER_RUN = ["after commit", "after merge", "after complete"]
LOOK = ["after look-commit"]
# All that a package of news passes; the chaos kills at each passage, too, and between them.
NAMED = [
    *("after lock", "after poll#3", "before write", "before commit", "after commit"),
    *("after normalize", "after copy:source_event_summaries"),
    *("before extract", "after write", "before commit-package", "after save-state"),
    *("after forget-extracted", "before normalized", "after normalized", "after note-first-load"),
    *("after begin-anew", "before load", "after create", "before schema", "after start-job"),
    *(f"after copy:workflow_{kind}" for kind in ("emits", "errors")),
    *(f"after copy:{table}" for table in ("stream_status", "load_runs", "sources", "users")),
    *(
        "after insert:_dlt_pipeline_state",
        "after note",
        "before complete-job",
        "after complete-job",
    ),
    *("before merge", "before record-load", "before complete", "after complete", "after archive"),
    *("after remove-jobs", "before settle", "before close", "before forget-states"),
    *("after forget-states", "after left-as", "before prune", "after prune"),
]
PARTS = 8
_LOG = logging.getLogger(__name__)


@pytest.mark.parametrize("at", FIRST_RUN)
def test_killed_in_the_first_run(scene: Scene, at: str) -> None:
    scene.emit()
    scene.recover(forgotten=scene.kill(at))


def test_killed_in_the_first_run_and_locked_out_of_the_second(scene: Scene) -> None:
    """The second run's package merges; what the first had copied is taken back all the same."""
    scene.emit()
    scene.kill("after copy:source_event_summaries")
    with duckdb.connect(str(scene.warehouse.database)):
        scene.emit()
        assert scene.load().code == 5
    scene.recover(forgotten=True)


def test_a_gap_outlives_a_kill_after_it_was_loaded(scene: Scene) -> None:
    """A load that a killed run drained looks like another machine's, and its gap is still true."""
    scene.emit()
    scene.load_well()
    for stream in scene.workspace.streams.values():
        stream.shown = []
    scene.emit()
    scene.kill("after commit")
    scene.kill("before extract")
    told = scene.gaps()
    assert told
    with duckdb.connect(str(scene.warehouse.database)):
        scene.emit(3)
        assert scene.load().code == 5
    scene.load_well()
    assert scene.gaps() == told


def kill_in_later_runs(scene: Scene, places: list[str], *, may_pass: bool = False) -> None:
    scene.emit()
    scene.load_well()
    for at in places:
        _LOG.warning("%s", at)
        scene.emit()
        scene.recover(forgotten=scene.kill(at, may_pass=may_pass))


def test_killed_in_a_later_run(scene: Scene) -> None:
    kill_in_later_runs(scene, LATER_RUN)


def kill_looks(scene: Scene, places: list[str]) -> None:
    """Whatever a look did not finish, the cursors are those of the load before."""
    scene.emit()
    scene.load_well()
    for at in places:
        _LOG.warning("%s", at)
        scene.load_well()
        assert not scene.kill(at, may_pass=True)
        scene.recover(forgotten=True)


def test_killed_while_it_looks(scene: Scene) -> None:
    kill_looks(scene, LOOK)


@pytest.mark.chaos
def test_killed_over_and_over(scene: Scene) -> None:
    """Each rerun dies a little later than the one before it."""
    scene.emit()
    scene.load_well()
    scene.emit()
    scene.kill("after commit")
    scene.forget()
    for at in ("before normalized", "after copy:source_event_summaries", "before record-load"):
        scene.kill(at)
    scene.emit(5)
    scene.load_well()
    scene.check()


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_another_machine_goes_on_where_one_was_killed_with_old_states(scene: Scene) -> None:
    """Old states are removed after a load is recorded: whoever restores finds the newest."""
    for round_number in range(13):
        scene.emit()
        scene.load_well()
        if round_number < 10:
            continue
        for at in ("before forget-states", "after forget-states"):
            scene.emit()
            scene.kill(at)
            shutil.rmtree(scene.folder)
            scene.recover(forgotten=True)
    states = "SELECT count(*) FROM _dlt_pipeline_state"
    assert scene.warehouse.one(states) == (10,)


@pytest.mark.parametrize("seed", [1])
@pytest.mark.chaos
def test_killed_at_random_moments(scene: Scene, seed: int) -> None:
    kill_at_random(scene, seed, rounds=4)


def kill_at_random(scene: Scene, seed: int, rounds: int) -> None:
    """Kills in a row, the first ones in the first run; then a rerun, and once more."""
    _LOG.warning("seed %s", seed)
    moments, kills = random.Random(seed), 0
    for _ in range(rounds):
        scene.emit()
        process = scene.nursery.start(scene.warehouse)
        time.sleep(moments.uniform(0.05, 1.6))
        if is_running(process):
            os.kill(process, signal.SIGKILL)
        kills += scene.nursery.end().code == KILLED
    scene.load_well()
    scene.load_well()
    scene.check()
    assert scene.gaps() == set()
    assert kills


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(100, 160))
def test_killed_at_many_random_moments(scene: Scene, seed: int) -> None:
    kill_at_random(scene, seed, rounds=5)


@pytest.mark.chaos
@pytest.mark.parametrize("at", NAMED)
def test_killed_everywhere_in_the_first_run(scene: Scene, at: str) -> None:
    scene.emit()
    scene.recover(forgotten=scene.kill(at))


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_each_passage_of_a_later_run(scene: Scene, tmp_path: Path, part: int) -> None:
    scene.emit()
    scene.load_well()
    scene.emit()
    kill_in_later_runs(scene, passages(scene, tmp_path)[part::PARTS], may_pass=True)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_killed_at_each_passage_of_a_look(scene: Scene, tmp_path: Path) -> None:
    scene.emit()
    scene.load_well()
    kill_looks(scene, passages(scene, tmp_path))


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_each_passage_of_a_first_run(
    fresh_scene: Callable[[], Scene], tmp_path: Path, part: int
) -> None:
    scene = fresh_scene()
    scene.emit()
    for at in passages(scene, tmp_path)[part::PARTS]:
        _LOG.warning("%s", at)
        scene = fresh_scene()
        scene.emit()
        scene.recover(forgotten=scene.kill(at, may_pass=True))


def passages(scene: Scene, folder: Path) -> list[str]:
    """Run a load that notes all it passes, and return that."""
    noted = folder / "passages"
    scene.load_well(CRASH_TRACE=str(noted))
    return noted.read_text().splitlines()
