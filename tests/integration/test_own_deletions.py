"""What `events delete` took after it was proven to be loaded is missed by no later load."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, Command, id_of
from tests.integration.invoking import Invoker


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


class Workspace:
    """A database that one source of the sandbox is loaded to, by one machine or several."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        sandbox.reset()
        self.sandbox, self.folder = sandbox, folder
        self.source = id_of(sandbox, "Newsletter signups")
        self.verbs = Invoker(Command(folder, sandbox))
        self.machine("here")

    def machine(self, name: str) -> None:
        """Go on as a machine with a working folder of its own."""
        self.verbs.environment["DLT_DATA_DIR"] = str(self.folder / name)

    def load(self, code: int = 0, more: tuple[str, ...] = ()) -> dict[str, Any]:
        words = ("load", "--source-id", self.source, "--no-discover", "--fail-on-loss")
        found: dict[str, Any] = self.verbs.json(*words, *more, code=code)
        return found

    def delete(self, *flags: str, code: int = 0) -> None:
        self.verbs.run("events", "delete", self.source, "--yes", "--wait", *flags, code=code)

    def emit(self, count: int) -> list[str]:
        self.sandbox.advance(60)
        found = self.sandbox.emit(self.source, count=count, spread_s=30)
        self.sandbox.advance(60)
        return found

    def prove(self, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.verbs.json("prove", "--emitter", self.source, code=code)
        return found

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / DATABASE), read_only=True) as database:
            database.execute("SET schema = 'pipedream'")
            return database.execute(query).fetchall()


@contextmanager
def held_by_another(path: Path) -> Iterator[None]:
    """Have another process read a database, so that nobody can write to it."""
    script = (
        f"import duckdb\nheld = duckdb.connect({str(path)!r}, read_only=True)\n"
        "print(1, flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout
        assert reader.stdin
        reader.stdout.readline()
        yield
        reader.stdin.close()


@pytest.fixture
def place(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path, sandbox)


def test_a_window_that_we_emptied_is_proven(place: Workspace) -> None:
    came = place.emit(30)
    place.load()
    ((held,),) = place.rows("SELECT count(*) FROM source_event_summaries")
    place.delete("--loaded")
    assert place.load()["gaps"] == []
    assert place.prove()["complete"] is True
    place.emit(3)
    assert place.load()["gaps"] == []
    assert place.rows("SELECT DISTINCT verdict FROM stream_status") == [("contiguous",)]
    ((begin, until_id, events),) = place.rows("SELECT from_id, until_id, events FROM deletions")
    assert (begin, until_id, events) == ("0-0", came[-1], held)


def test_what_came_between_proof_and_load_is_loaded(place: Workspace) -> None:
    place.load()
    place.delete("--loaded")
    came = place.emit(5)
    assert place.load()["gaps"] == []
    stored = {row[0] for row in place.rows("SELECT id FROM source_event_summaries")}
    assert stored >= {*came}
    assert place.prove()["complete"] is True


def test_a_lost_working_folder_knows_it(place: Workspace) -> None:
    place.load()
    place.delete("--loaded")
    shutil.rmtree(place.folder / "here")
    assert place.load()["gaps"] == []
    assert place.prove()["complete"] is True


def test_another_machine_knows_it(place: Workspace) -> None:
    place.load()
    place.machine("there")
    place.load()
    place.machine("here")
    place.emit(7)
    place.load()
    place.delete("--loaded")
    place.machine("there")
    assert place.load()["gaps"] == []
    assert place.prove()["complete"] is True


def test_what_others_deleted_stays_purged(place: Workspace) -> None:
    place.load()
    place.delete("--loaded")
    place.emit(5)
    place.load()
    place.sandbox.delete(place.source)
    (gap,) = place.load(code=4)["gaps"]
    assert gap["verdict"] == "purged"
    assert place.prove(code=4)["complete"] is False


def test_what_was_deleted_unproven_is_purged(place: Workspace) -> None:
    place.load()
    place.emit(5)
    place.delete("--even-unloaded")
    assert place.rows("SELECT count(*) FROM deletions") == [(0,)]
    (gap,) = place.load(code=4)["gaps"]
    assert gap["verdict"] == "purged"


def test_a_part_up_to_the_newest(place: Workspace) -> None:
    ids = place.emit(20)
    place.load()
    place.delete("--start-id", ids[5], "--end-id", ids[-1])
    assert place.load()["gaps"] == []
    assert place.rows("SELECT last_id FROM stream_status") == [(ids[-1],)]
    last = place.emit(4)[-1]
    assert place.load()["gaps"] == []
    assert place.rows("SELECT last_id FROM stream_status") == [(last,)]
    assert place.prove()["complete"] is True


def test_a_request_that_failed_is_not_recorded(place: Workspace) -> None:
    place.load()
    place.sandbox.fault(method="DELETE", path=f"/v1/sources/{place.source}/events", status=400)
    place.delete("--loaded", code=1)
    place.sandbox.clear_faults()
    assert place.rows("SELECT count(*) FROM deletions") == [(0,)]
    place.sandbox.delete(place.source)
    (gap,) = place.load(code=4)["gaps"]
    assert gap["verdict"] == "purged"


def test_a_kill_between_request_and_record_is_told(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.load()

    def killed(*_: Any, **__: Any) -> None:
        place.sandbox.delete(place.source)
        raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr(PipedreamClient, "delete_events", killed)
        place.delete("--loaded", code=137)
    (gap,) = place.load(code=4)["gaps"]
    assert gap["verdict"] == "purged"


def test_nothing_is_deleted_that_cannot_be_recorded(place: Workspace) -> None:
    place.load()
    place.sandbox.control("DELETE", "journal")
    with held_by_another(place.folder / DATABASE):
        place.delete("--loaded", code=5)
    assert [e for e in place.sandbox.journal() if e["method"] == "DELETE"] == []


def test_while_the_record_cannot_be_read_nothing_is_claimed(place: Workspace) -> None:
    came = place.emit(3)
    place.load()
    place.delete("--loaded")
    came += place.emit(3)
    with held_by_another(place.folder / DATABASE):
        kept = place.load(code=1, more=("--lock-wait", "0"))
    # The only stream failed, and nothing was loaded.
    assert (kept["gaps"], kept["streams"]["failed"], kept["loaded"]) == ([], 1, False)
    assert "whether `events delete` took them" in kept["failures"][place.source]
    assert place.load()["gaps"] == []
    stored = {row[0] for row in place.rows("SELECT id FROM source_event_summaries")}
    assert stored >= {*came}
    assert place.prove()["complete"] is True


def test_a_database_of_an_earlier_version_gets_the_table(place: Workspace) -> None:
    place.load()
    with duckdb.connect(str(place.folder / DATABASE)) as database:
        database.execute("DROP TABLE pipedream.deletions")
    place.delete("--loaded")
    assert place.load()["gaps"] == []
    place.emit(1)
    assert place.load()["gaps"] == []
    assert place.rows("SELECT count(*) FROM deletions") == [(1,)]


def test_a_certificate_keeps_its_length(place: Workspace) -> None:
    place.load()
    place.delete("--loaded")
    place.sandbox.advance(timedelta(hours=3).total_seconds())
    place.load()
    (stream,) = place.prove()["streams"]
    assert [s["standing"] for s in stream["segments"]] == ["complete"]
