"""What goes wrong with a whole run ends it with the right code, and leaves no half of anything."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.faults.run_fault import ALL, NOTHING, SOME, Given, RunFault, Scene
from tests.faults.runs import RUNS
from tests.faults.world import Load

NEEDS_OPENSSL = {"selfSigned", "otherName", "expired"}


CASES = [
    pytest.param(fault, id=fault.name, marks=[pytest.mark.chaos] * fault.is_long) for fault in RUNS
]


@pytest.mark.parametrize("fault", CASES)
def test_a_run_that_goes_wrong(tmp_path: Path, fault: RunFault) -> None:
    if fault.name in NEEDS_OPENSSL and shutil.which("openssl") is None:
        pytest.skip("makes certificates with openssl")
    folder = tmp_path / "run"
    folder.mkdir()
    scene = Scene(folder, fault.streams)
    try:
        goes_wrong(scene, fault)
    finally:
        scene.close()


def goes_wrong(scene: Scene, fault: RunFault) -> None:
    scene.emit()
    had = dict(scene.due()) if fault.needs_before else {}
    if fault.needs_before:
        assert scene.load().code == 0
        scene.emit()
    given, asked = Given(), len(scene.contract.journal)
    with fault.inject(scene, given) or nullcontext():
        load = scene.load(*given.flags, **given.environment)
    assert load.code == fault.exit_code, load.err
    assert fault.told in load.err
    assert "Traceback" not in load.err
    assert bool(load.err) == bool(fault.exit_code), load.err
    if fault.requests is not None:
        assert len(scene.contract.journal) - asked == fault.requests
    leaves(scene, fault, load, had)
    if fault.check:
        fault.check(scene, load)


def leaves(scene: Scene, fault: RunFault, load: Load, had: dict) -> None:
    """Check what stands in the database, and that the next load brings the rest."""
    if fault.leaves == NOTHING:
        # A load that follows is a first one, of which there are tests enough.
        assert [p.name for p in scene.folder.iterdir() if p.name == scene.database.name] == []
        return
    stored = {row[:3]: row[3] and row[3].encode() for row in load.tables["events"]}
    assert had.items() <= stored.items() <= scene.due().items()
    assert len(stored) == len(load.tables["events"])
    if fault.leaves == SOME:
        assert len(had) < len(stored) < len(scene.due())
    else:
        assert len(stored) == (len(scene.due()) if fault.leaves == ALL else len(had))
    if fault.leaves == ALL:
        return
    scene.heal()
    scene.emit()
    healed = scene.load()
    assert healed.code == 0, healed.err
    rows = [row[:3] for row in healed.tables["events"]]
    assert sorted(rows) == sorted(scene.due())
    assert healed.tables["gaps"] == healed.tables["quarantine"] == []
