"""A power cut: files lose what was written last, are empty, or end in zeros.

Whatever file it is, the next load ends well or says in clear words which file is damaged, why, and
what to do; then either everything is there, or what is not there any more is in `event_gaps`.
"""

from collections.abc import Callable
from pathlib import Path

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


CUTS = [lose_all, lose_half, lose_the_end, lose_the_file]
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
EXTRACTED, NORMALIZED = (
    "pipedream_events/normalize/extracted/*/",
    "pipedream_events/load/normalized/*/",
)
PENDING = {
    "after commit": [
        *("pipedream_events/state.json", "pipedream_events/normalize/.version"),
        *(EXTRACTED + name for name in ("schema.json", "load_package_state.json")),
        EXTRACTED + ".restore/state.json",
    ],
    "after merge": [
        *("pipedream_events/state.json", "pipedream_events/schemas/pipedream.schema.json"),
        *(NORMALIZED + name for name in ("schema.json", "load_package_state.json")),
        *(NORMALIZED + name for name in ("applied_schema_updates.json", "*_jobs/*.sql")),
        NORMALIZED + ".pending_transitions/*",
    ],
    "before load": [
        *("pipedream_events/state.json", NORMALIZED + "schema_updates.json"),
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
def test_a_cut_between_runs(scene: Scene, cut: Callable[[Path], None]) -> None:
    check_settled(scene, ["pipedream_events/state.json", "left-as"], [cut])


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
