"""Sources and webhooks keep their history: a version for each change, none for anything else."""

import gzip
import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.contract import KEY, Contract, Reply, Warehouse, source

START = int(time.time() * 1000) - 3_600_000
SOURCES, WEBHOOKS = "/users/me/sources", "/users/me/webhooks"
CANARIES = ("canary-in-props-1", "canary-in-props-2", "canary-in-url-3", "canary-in-a-header-4")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)


class World:
    """A server with an event for each load, so that no load finds nothing to do."""

    def __init__(self, contract: Contract, warehouse: Warehouse) -> None:
        self.contract, self.warehouse = contract, warehouse
        self.stream = contract.stream("dc_events")
        self.lists = contract.lists
        self.lists[WEBHOOKS] = []

    def add_source(self, made: dict[str, Any]) -> None:
        """List a source, and let it have a window."""
        self.contract.stream(made["id"])
        self.lists[SOURCES][-1] = made

    def load(self, *, code: int = 0, **arguments: Any) -> Any:
        self.stream.emit(f"{START + 1000 * len(self.stream.emitted)}-0")
        report = self.warehouse.load(**arguments)
        assert report.exit_code == code, report.as_dict()
        return report

    def load_by_hand(self) -> None:
        self.stream.emit(f"{START + 1000 * len(self.stream.emitted)}-0")
        self.warehouse.pipeline().run(self.warehouse.source())

    def versions(self, table: str, key: str, column: str) -> list[tuple[Any, bool]]:
        """Return the value in each version of a row, and whether that version is in force."""
        found: list[tuple[Any, bool]] = self.warehouse.rows(
            f"SELECT {column}, _dlt_valid_to IS NULL FROM {table} WHERE id = ? "
            "ORDER BY _dlt_valid_from",
            key,
        )
        return found

    def current(self, table: str) -> list[str]:
        query = f"SELECT id FROM {table} WHERE _dlt_valid_to IS NULL ORDER BY id"
        return [key for (key,) in self.warehouse.rows(query)]


@pytest.fixture
def world(contract: Contract, warehouse: Warehouse) -> World:
    return World(contract, warehouse)


def webhook(key: str, **fields: Any) -> dict[str, Any]:
    made = {
        "id": key,
        "name": None,
        "description": None,
        "url": f"https://{key.removeprefix('wh_')}.example.com",
        "active": True,
        "created_at": 1_611_964_025,
        "updated_at": 1_611_964_025,
    }
    return made | fields


def with_token(key: str, token: str) -> dict[str, Any]:
    auth = {"type": "bearer", "token": token}
    return source(key, configured_props={"httpRequest": {"auth": auth, "url": "https://x"}})


def test_a_changed_secret_is_a_version_and_an_unchanged_one_is_none(world: World) -> None:
    world.add_source(with_token("dc_new", CANARIES[0]))
    world.add_source(with_token("dc_old", CANARIES[0]))
    for token in (CANARIES[0], CANARIES[0], CANARIES[1], CANARIES[1], CANARIES[0]):
        world.lists[SOURCES][1] = with_token("dc_new", token)
        world.load()
    changed = world.versions("sources", "dc_new", "configured_props ->> '$.httpRequest.auth.token'")
    assert [in_force for _, in_force in changed] == [False, False, True]
    first, second, third = [mark for mark, _ in changed]
    assert first == third != second
    assert all(mark.startswith("[redacted]-") for mark in (first, second))
    same = world.versions("sources", "dc_old", "configured_props ->> '$.httpRequest.auth.token'")
    assert same == [(first, True)]


@pytest.mark.parametrize("by_hand", [False, True], ids=["command", "dlt alone"])
def test_a_fresh_machine_opens_no_version(world: World, by_hand: bool) -> None:
    world.add_source(with_token("dc_new", CANARIES[0]))
    world.lists[WEBHOOKS].append(webhook("wh_a", url=f"https://me:{CANARIES[2]}@example.com"))
    load = world.load_by_hand if by_hand else world.load
    folder = world.warehouse.folder / "dl" if by_hand else world.warehouse.target.folder
    load()
    shutil.rmtree(folder)
    # Something else changes, so that both tables are written again.
    world.add_source(source("dc_more"))
    world.lists[WEBHOOKS].append(webhook("wh_more"))
    load()
    assert len(world.versions("sources", "dc_new", "id")) == 1
    assert len(world.versions("webhooks", "wh_a", "id")) == 1
    assert len(world.current("sources")) == 3


def test_another_dataset_marks_the_same_secret_differently(world: World) -> None:
    world.add_source(with_token("dc_new", CANARIES[0]))
    other = World(world.contract, world.warehouse.renamed("other.duckdb"))
    marks = []
    for each in (world, other):
        each.load()
        ((props, _),) = each.versions("sources", "dc_new", "configured_props::VARCHAR")
        marks.append(props)
    assert marks[0] != marks[1]


def test_webhooks_come_change_and_go(world: World) -> None:
    listed = world.lists[WEBHOOKS]
    world.load()
    assert world.warehouse.rows("SELECT * FROM webhooks") == []
    listed += [webhook("wh_a"), webhook("wh_b", name="b", later={"x": 1})]
    world.load()
    columns = "name, url, active, created_at::VARCHAR, extra::VARCHAR, listed_in::VARCHAR"
    at = "2021-01-29 23:47:05+00"
    assert world.warehouse.rows(f"SELECT id, {columns} FROM webhooks ORDER BY id") == [
        ("wh_a", None, "https://a.example.com", True, at, None, '["users/me"]'),
        ("wh_b", "b", "https://b.example.com", True, at, '{"later":{"x":1}}', '["users/me"]'),
    ]
    listed[0] = webhook("wh_a", active=False)
    report = world.load()
    assert report.tally.rows["webhooks"] == 2
    assert world.versions("webhooks", "wh_a", "active") == [(True, False), (False, True)]
    assert "webhooks" not in world.load().tally.rows
    del listed[1]
    world.load()
    assert world.current("webhooks") == ["wh_a"]
    listed.clear()
    world.load()
    assert world.current("webhooks") == []
    assert len(world.warehouse.rows("SELECT * FROM webhooks")) == 3


def test_a_half_read_list_of_webhooks_changes_nothing(world: World) -> None:
    listed = world.lists[WEBHOOKS]
    listed += [webhook(f"wh_{n:02}") for n in range(30)]
    world.load()
    assert len(world.current("webhooks")) == 30
    before = world.warehouse.rows("SELECT * FROM webhooks ORDER BY id")
    listed[0] = webhook("wh_00", name="changed")
    for break_it in (
        lambda: world.contract.broken.update({(WEBHOOKS, 1): Reply(b'{"error":"oops"}', 500)}),
        lambda: world.contract.broken.update({(WEBHOOKS, 1): Reply(b'{"data":null}')}),
        lambda: listed.append(webhook("wh_x", id=5)),
    ):
        world.contract.broken.clear()
        break_it()
        report = world.load(code=3)
        assert list(report.tally.errors) == ["users/me/webhooks"]
        assert world.warehouse.rows("SELECT * FROM webhooks ORDER BY id") == before
    listed.pop()
    assert world.load().tally.errors == {}
    assert world.versions("webhooks", "wh_00", "name") == [(None, False), ("changed", True)]
    assert len(world.current("webhooks")) == 30


@pytest.mark.parametrize("status", [403, pytest.param(404, marks=pytest.mark.chaos)])
def test_webhooks_that_these_credentials_cannot_read(world: World, status: int) -> None:
    world.lists[WEBHOOKS].append(webhook("wh_a"))
    world.load()
    world.contract.broken[WEBHOOKS, 0] = Reply(b'{"error":"no"}', status)
    told = [world.load().tally.warnings for _ in range(2)]
    assert [len(warnings) for warnings in told] == [1, 0]
    assert "/users/me/webhooks" in told[0][0]
    assert world.current("webhooks") == ["wh_a"]
    world.contract.broken.clear()
    assert world.load().tally.warnings == []
    world.contract.broken[WEBHOOKS, 0] = Reply(b'{"error":"no"}', status)
    assert len(world.load().tally.warnings) == 1


def test_without_discovery_no_history_is_touched(world: World) -> None:
    world.lists[WEBHOOKS].append(webhook("wh_a"))
    world.load()
    world.lists[WEBHOOKS].clear()
    world.lists[SOURCES].clear()
    asked = len(world.contract.journal)
    world.load(source_ids=["dc_events"], discover=False)
    assert WEBHOOKS not in {path for path, _ in world.contract.journal[asked:]}
    assert world.current("webhooks") == ["wh_a"]
    assert world.current("sources") == ["dc_events"]
    # Narrowed to some sources, the lists are read whole all the same.
    world.load(source_ids=["dc_events"])
    assert world.current("webhooks") == world.current("sources") == []


def test_whatever_stands_in_an_object_loads(world: World) -> None:
    deep: Any = "canary"
    for _ in range(300):
        deep = [deep]
    strange = {
        "name": "cut \ud83d and \x00",
        "description": ["not", "a", "text"],
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": 10**30,
        "active": "yes",
        "deep": deep,
        "numbers": [math.nan, math.inf, 10**400, -0.0, 2**64],
        "\ud83d": "\x00",
        "extra": {"extra": 1},
        "_dlt_id": "x",
        "listed_in": "nowhere",
    }
    world.add_source(source("dc_strange") | strange | {"configured_props": strange})
    world.lists[WEBHOOKS].append(webhook("wh_strange") | strange)
    world.load()
    for table, key in (("sources", "dc_strange"), ("webhooks", "wh_strange")):
        name, active, at, extra = world.warehouse.one(
            f"SELECT name, active, created_at, extra::VARCHAR FROM {table} WHERE id = ?", key
        )
        assert (name, active, at) == ("cut \ufffd and \ufffd", None, None)
        kept = json.loads(extra)
        assert kept["active"] == "yes"
        assert kept["created_at"] == "2026-01-01T00:00:00Z"
        assert kept["updated_at"] == 10**30
        assert kept["numbers"][2] == 10**400
        assert kept["extra"] == {"extra": 1}
    assert world.current("webhooks") == ["wh_strange"]


def test_no_secret_is_written_anywhere(world: World) -> None:
    header = {"name": "X-Auth-Token", "value": CANARIES[3]}
    props = {
        "httpRequest": {
            "auth": {"type": "basic", "username": CANARIES[0], "password": CANARIES[1]},
            "headers": [header],
            "url": f"https://x.example.com/f?api_key={CANARIES[2]}",
        }
    }
    world.add_source(source("dc_secret", configured_props=props, token=CANARIES[0]))
    hook = webhook("wh_a", url=f"https://me:{CANARIES[2]}@example.com", secret=CANARIES[1])
    world.lists[WEBHOOKS].append(hook)
    component = {"id": "sc_1", "name": "c", "code": "1", "code_hash": "h", "api_key": CANARIES[0]}
    body = json.dumps({"data": component}).encode()
    world.contract.broken["/components/sc_1", 0] = Reply(body)
    world.lists[SOURCES][-1]["component_id"] = "sc_1"
    # The second load leaves its package in the working folder.
    world.load()
    world.add_source(source("dc_more"))
    extract_only(world)
    assert world.current("webhooks") == ["wh_a"]
    assert len(world.warehouse.rows("SELECT * FROM components")) == 1
    texts = [*stored_texts(world.warehouse), *file_texts(world.warehouse.folder)]
    assert any(b"[redacted]-" in text for text in texts)
    for text in texts:
        assert [canary for canary in (*CANARIES, KEY) if canary.encode() in text] == []


def extract_only(world: World) -> None:
    """Leave a package that was extracted and not loaded."""
    pipeline = world.warehouse.target.pipeline()
    pipeline.extract(world.warehouse.source())
    assert pipeline.list_extracted_load_packages()


def stored_texts(warehouse: Warehouse) -> list[bytes]:
    names = "SELECT table_schema, table_name FROM information_schema.tables"
    return [
        repr(row).encode()
        for schema, table in warehouse.rows(names)
        for row in warehouse.rows(f'SELECT * FROM "{schema}"."{table}"')
    ]


def file_texts(folder: Path) -> list[bytes]:
    read: Callable[[Path], bytes] = Path.read_bytes
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    return [gzip.decompress(read(p)) if p.suffix == ".gz" else read(p) for p in files]
