"""kill -9 of the scripts in `pipelines/`, and of loads to plain files: a rerun mends all of it."""

from pathlib import Path

import duckdb
import pytest

from tests.crash.conftest import furnish
from tests.crash.nursery import KILLED, LOAD, ROOT, Ended, Nursery
from tests.crash.places import EVENTS, PLACES, Place
from tests.crash.scene import Scene
from tests.integration.contract import Contract, Warehouse

FIRST = "after normalized"
LATER = ("after commit", "before normalized", "after normalized", "before load", "before complete")


class Script:
    """A script of the package, copied and edited as its reader would, in a process of its own."""

    def __init__(self, scene: Scene, place: Place) -> None:
        self.scene, self.place = scene, place
        self.folder = scene.warehouse.folder
        name, changes = place.script
        text = (ROOT / "pipelines" / f"{name}.py").read_text("utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        self.path = self.folder / f"{name}.py"
        self.path.write_text(text, "utf-8")

    def run(self, **environment: str) -> Ended:
        variables = {"DLT_DATA_DIR": str(self.folder / "data"), **self.place.variables(self.folder)}
        return self.scene.nursery.run(
            self.scene.warehouse, str(self.path), **variables, **environment
        )

    def kill(self, at: str) -> None:
        ended = self.run(CRASH_AT=at)
        assert ended.code == KILLED, f"{at} was never reached: {ended.told}"

    def recover(self) -> None:
        """Run again once the API has forgotten what the killed run saw."""
        self.scene.forget()
        self.scene.emit(5)
        ended = self.run()
        assert ended.code == 0, ended.told
        found = self.place.keys(self.folder, EVENTS)
        assert len(found) == len(set(found))
        assert set(found) == set(self.scene.workspace.emitted())


@pytest.fixture(params=PLACES, ids=lambda place: place.name)
def script(request: pytest.FixtureRequest, scene: Scene) -> Script:
    if request.param.is_missing:
        pytest.skip(f"needs {request.param.module}")
    return Script(scene, request.param)


def test_a_script_killed_in_its_first_run(script: Script) -> None:
    """Once "[Errno 39] Directory not empty", for ever."""
    script.scene.emit()
    script.kill(FIRST)
    script.recover()


@pytest.mark.parametrize(
    "at", [LATER[1], *(pytest.param(at, marks=pytest.mark.chaos) for at in (LATER[0], *LATER[2:]))]
)
def test_a_script_killed_in_a_later_run(script: Script, at: str) -> None:
    script.scene.emit()
    assert script.run().code == 0
    script.scene.emit()
    script.kill(at)
    script.recover()


def test_a_script_killed_after_events_were_copied(script: Script) -> None:
    """Rows that are committed and not noted would be loaded once more."""
    script.scene.emit()
    assert script.run().code == 0
    script.scene.emit()
    script.kill(script.place.after_copy)
    script.recover()


@pytest.fixture
def files(contract: Contract, tmp_path: Path, nursery: Nursery) -> Scene:
    """Loads of the command to Parquet files."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Scene(furnish(contract), Warehouse(folder, contract.url), nursery)


@pytest.mark.parametrize(
    "at",
    [
        f"after file:{EVENTS}",
        *(pytest.param(at, marks=pytest.mark.chaos) for at in (*LATER, "before record-files")),
    ],
)
def test_a_load_to_plain_files_that_was_killed(files: Scene, at: str) -> None:
    """Once "'NoneType' object has no attribute 'execute'" at each later load."""
    bucket = files.warehouse.folder / "bucket"
    words = (*LOAD, "--destination", "filesystem", "--pipelines-dir", "working")
    place = {"DESTINATION__FILESYSTEM__BUCKET_URL": str(bucket)}

    def load(**environment: str) -> Ended:
        return files.nursery.run(files.warehouse, *words, **place, **environment)

    files.emit()
    assert load().code == 0
    files.emit()
    assert load(CRASH_AT=at).code == KILLED
    files.forget()
    files.emit(5)
    ended = load()
    assert ended.code == 0, ended.told
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT emitter_id, channel, id "
            f"FROM read_parquet('{bucket}/pipedream/{EVENTS}/*.parquet')"
        ).fetchall()
    assert len(found) == len(set(found))
    assert set(found) == set(files.workspace.emitted())
