"""Disks that are full or read-only: a clear error, and nothing is lost once there is room."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.nursery import Ended, Nursery
from tests.crash.scene import Scene
from tests.integration.contract import Contract, Warehouse

MOUNT, UMOUNT = "/bin/mount", "/bin/umount"


def check_told(ended: Ended) -> None:
    assert ended.code in (1, 2, 5), ended.told
    assert "Error" in ended.err
    assert "Run it again with -v" not in ended.err, "an error that nobody expected"


@pytest.mark.parametrize("limit", [3_000])
def test_the_working_folder_is_full(scene: Scene, limit: int) -> None:
    """Nothing was committed, so the API is asked again."""
    scene.emit()
    scene.load_well()
    scene.emit()
    check_told(scene.load(FILE_LIMIT=str(limit)))
    scene.recover(forgotten=False)


def test_the_database_is_full(scene: Scene) -> None:
    """What was polled waits in its package, although the API forgets it."""
    scene.emit()
    scene.load_well()
    scene.emit(90)
    before = scene.packages()
    # More than any file of the working folder has, and less than DuckDB's log will have.
    check_told(scene.load(FILE_LIMIT="60000"))
    assert scene.packages() > before
    scene.recover(forgotten=True)


@pytest.mark.chaos
@pytest.mark.parametrize("limit", [2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 500_000])
@pytest.mark.parametrize("is_first", [True, False])
def test_the_disk_is_full_anywhere(scene: Scene, limit: int, is_first: bool) -> None:
    scene.emit()
    if not is_first:
        scene.load_well()
        scene.emit(90)
    before = scene.packages()
    ended = scene.load(FILE_LIMIT=str(limit))
    if ended.code:
        check_told(ended)
    scene.recover(forgotten=scene.packages() > before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = [MOUNT, "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs rights that this machine does not give")
    yield folder
    subprocess.run([UMOUNT, "--lazy", str(folder)], check=True)


@pytest.fixture
def small_scene(scene: Scene, small_disk: Path, contract: Contract, nursery: Nursery) -> Scene:
    return Scene(contract, Warehouse(small_disk, contract.url), nursery)


@pytest.mark.chaos
def test_a_small_disk_fills_up(small_scene: Scene, small_disk: Path) -> None:
    """Database and working folder share it: loads fail, clearly, until something is removed."""
    small_scene.emit()
    small_scene.load_well()
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk)
    ballast.write_bytes(b"x" * (free.f_bavail * free.f_bsize - 20_000))
    small_scene.emit()
    before = small_scene.packages()
    check_told(small_scene.load())
    ballast.unlink()
    small_scene.recover(forgotten=small_scene.packages() > before)


@pytest.mark.chaos
def test_a_disk_becomes_read_only(small_scene: Scene, small_disk: Path) -> None:
    small_scene.emit()
    small_scene.load_well()
    small_scene.emit()
    subprocess.run([MOUNT, "-o", "remount,ro", str(small_disk)], check=True)
    ended = small_scene.load()
    assert ended.code == 2
    assert str(small_scene.warehouse.database) in ended.report["error"]
    subprocess.run([MOUNT, "-o", "remount,rw", str(small_disk)], check=True)
    small_scene.recover(forgotten=False)
