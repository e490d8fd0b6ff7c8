"""Clocks that jump, ours and the API's: no event is lost, and no gap is made up."""

import shutil
import time
from http.server import BaseHTTPRequestHandler

import duckdb
import pytest

from tests.crash.scene import Scene

YEAR_S = 365 * 86_400


def check_no_gap(scene: Scene) -> None:
    scene.check()
    assert scene.gaps() == set()


@pytest.mark.parametrize("jumps", [(YEAR_S, 0, -YEAR_S)])
def test_the_clock_jumps_between_runs(scene: Scene, jumps: tuple[int, ...]) -> None:
    """A new working folder then gets the cursors of the load that came last, too."""
    for offset in jumps:
        scene.emit(60)
        scene.load_well(CLOCK_OFFSET_S=str(offset))
    check_no_gap(scene)
    ordered = scene.warehouse.rows("SELECT load_id FROM _dlt_loads ORDER BY inserted_at, load_id")
    assert ordered == sorted(ordered)
    shutil.rmtree(scene.folder)
    scene.emit(60)
    scene.load_well()
    check_no_gap(scene)


@pytest.mark.chaos
def test_the_clock_goes_back_while_packages_wait(scene: Scene) -> None:
    """The newer package is loaded last: the sources are as it lists them."""
    scene.emit()
    scene.load_well()
    with duckdb.connect(str(scene.warehouse.database)):
        for offset in (0, -YEAR_S):
            scene.emit()
            assert scene.load(CLOCK_OFFSET_S=str(offset)).code == 5
    scene.load_well()
    check_no_gap(scene)


@pytest.mark.parametrize("offset", [-YEAR_S, YEAR_S])
@pytest.mark.chaos
def test_the_clock_jumps_during_a_run(scene: Scene, offset: int) -> None:
    for _ in range(2):
        scene.emit()
        scene.load_well(CLOCK_OFFSET_S=str(offset), CLOCK_JUMPS_AT_POLL="3")
    scene.emit()
    scene.load_well()
    scene.load_well()
    check_no_gap(scene)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (-YEAR_S, -YEAR_S),
        (YEAR_S, 0),
        (YEAR_S, -YEAR_S),
        (-YEAR_S, 0),
    ],
)
@pytest.mark.chaos
def test_the_clock_of_the_api_jumps(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, theirs: int, ours: int
) -> None:
    """Ids far ahead of both clocks are stored once, and prove nothing until a clock is right."""
    scene.emit()
    scene.load_well()
    said = BaseHTTPRequestHandler.date_time_string

    def wrong(self: BaseHTTPRequestHandler, timestamp: float | None = None) -> str:
        return said(self, time.time() + theirs)

    with monkeypatch.context() as patched:
        patched.setattr(BaseHTTPRequestHandler, "date_time_string", wrong)
        for _ in range(2):
            scene.emit()
            scene.load_well(CLOCK_OFFSET_S=str(ours))
    scene.emit()
    scene.load_well()
    check_no_gap(scene)
