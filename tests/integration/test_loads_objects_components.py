"""Components that sources refer to are read once, and their code is kept once."""

import hashlib
import json
import time
from typing import Any

import pytest

from pipedream_source.resources.objects import components
from tests.integration.contract import Contract, Reply, Warehouse, source

START = int(time.time() * 1000) - 3_600_000
SOURCES = "/users/me/sources"
CODE = "export default { name: 'rss', version: '0.0.1' }"
NOT_FOUND = Reply(b'{"error":"record not found"}', 404)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)


class World:
    """A server of sources and components, with an event for each load."""

    def __init__(self, contract: Contract, warehouse: Warehouse) -> None:
        self.contract, self.warehouse = contract, warehouse
        self.stream = contract.stream("dc_events", answers=None)
        contract.lists[SOURCES].clear()
        contract.lists["/users/me/webhooks"] = []
        self.seen = 0

    def refer(self, source_id: str, component_id: Any, updated_at: int = 1_600_000_000) -> None:
        """List a source of a component, anew if it is listed."""
        listed = self.contract.lists[SOURCES]
        listed[:] = [item for item in listed if item["id"] != source_id]
        self.contract.stream(source_id)
        listed[:] = [item for item in listed if item["id"] != source_id]
        listed.append(source(source_id, component_id=component_id, updated_at=updated_at))

    def serve(self, component_id: str, **fields: Any) -> None:
        data = component(component_id) | fields
        self.contract.broken[f"/components/{component_id}", 0] = Reply(
            json.dumps({"data": data}).encode()
        )

    def load(self, *, code: int = 0, **arguments: Any) -> list[str]:
        """Load, and return the components that were asked for."""
        (first, *_) = self.contract.lists[SOURCES]
        stream = self.contract.stream(first["id"])
        stream.emit(f"{START + 1000 * len(stream.emitted)}-0")
        report = self.warehouse.load(**arguments)
        assert report.exit_code == code, report.as_dict()
        self.report = report
        asked, self.seen = self.contract.journal[self.seen :], len(self.contract.journal)
        paths = [path for path, _ in asked if path.startswith("/components/")]
        return sorted(path.removeprefix("/components/") for path in paths)


@pytest.fixture
def world(contract: Contract, warehouse: Warehouse) -> World:
    return World(contract, warehouse)


def component(component_id: str) -> dict[str, Any]:
    return {
        "id": component_id,
        "code": CODE,
        "code_hash": hashlib.sha256(CODE.encode()).hexdigest(),
        "name": "rss",
        "version": "0.0.1",
        "configurable_props": [
            {"name": "url", "type": "string", "label": "Feed URL"},
            {"name": "timer", "type": "$.interface.timer", "default": {"intervalSeconds": 900}},
        ],
        "created_at": 1_588_866_900,
        "updated_at": 1_588_866_901,
    }


def test_a_component_as_documented(world: World) -> None:
    world.refer("dc_a", "sc_JDi8EB")
    world.serve("sc_JDi8EB", key="my-component", component_url="https://example.com/rss.js")
    assert world.load() == ["sc_JDi8EB"]
    documented = component("sc_JDi8EB")
    row = world.warehouse.one(
        "SELECT id, key, name, version, code_hash, configurable_props::VARCHAR, "
        "created_at::VARCHAR, updated_at::VARCHAR, extra::VARCHAR FROM components"
    )
    assert row[:5] == ("sc_JDi8EB", "my-component", "rss", "0.0.1", documented["code_hash"])
    assert json.loads(row[5]) == documented["configurable_props"]
    assert row[6:8] == ("2020-05-07 15:55:00+00", "2020-05-07 15:55:01+00")
    assert json.loads(row[8]) == {"component_url": "https://example.com/rss.js"}
    assert world.warehouse.rows("SELECT code_hash, code FROM component_code") == [
        (documented["code_hash"], CODE)
    ]


def test_code_is_kept_once_and_old_code_stays(world: World) -> None:
    for n in range(3):
        world.refer(f"dc_{n}", f"sc_{n}")
        world.serve(f"sc_{n}")
    assert world.load() == ["sc_0", "sc_1", "sc_2"]
    world.serve("sc_0", code="new code", code_hash="newer", version="0.0.2")
    world.refer("dc_0", "sc_0", updated_at=1_600_000_001)
    assert world.load() == ["sc_0"]
    rows = world.warehouse.rows(
        "SELECT id, version, code FROM components JOIN component_code USING (code_hash) ORDER BY id"
    )
    assert rows == [
        ("sc_0", "0.0.2", "new code"),
        ("sc_1", "0.0.1", CODE),
        ("sc_2", "0.0.1", CODE),
    ]
    assert world.warehouse.one("SELECT count(*) FROM component_code") == (2,)
    assert world.report.tally.rows["components"] == 1


def test_code_without_a_hash_gets_its_own(world: World) -> None:
    world.refer("dc_a", "sc_a")
    world.refer("dc_b", "sc_b")
    world.serve("sc_a", code_hash=None)
    world.serve("sc_b", code=None, code_hash=None)
    world.load()
    made = hashlib.sha256(CODE.encode()).hexdigest()
    hashes = "SELECT id, code_hash FROM components ORDER BY id"
    assert world.warehouse.rows(hashes) == [("sc_a", made), ("sc_b", None)]
    assert world.warehouse.rows("SELECT * EXCLUDE (_dlt_load_id, _dlt_id) FROM component_code") == [
        (made, CODE)
    ]


def test_a_component_is_read_again_only_when_it_may_have_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.refer("dc_a", "sc_a")
    world.refer("dc_b", "sc_b")
    for key in ("sc_a", "sc_b"):
        world.serve(key)
    assert world.load() == ["sc_a", "sc_b"]
    assert world.load() == world.load() == []
    world.refer("dc_a", "sc_a", updated_at=1_600_000_001)
    assert world.load() == ["sc_a"]
    assert "components" not in {t for t, count in world.report.tally.rows.items() if count}
    # Another source of the same component.
    world.refer("dc_c", "sc_b")
    assert world.load() == ["sc_b"]
    assert world.load() == []
    monkeypatch.setattr(components, "FRESH_S", 0)
    assert world.load() == ["sc_a", "sc_b"]
    assert world.warehouse.one("SELECT count(*) FROM components") == (2,)


@pytest.mark.parametrize("status", [403, pytest.param(404, marks=pytest.mark.chaos)])
def test_what_cannot_be_read_is_remembered_and_no_failure(world: World, status: int) -> None:
    world.refer("dc_a", "sc_a")
    world.refer("dc_b", "sc_b")
    world.serve("sc_a")
    world.contract.broken["/components/sc_b", 0] = Reply(b'{"error":"no"}', status)
    assert world.load() == ["sc_a", "sc_b"]
    assert world.load() == []
    assert world.warehouse.rows("SELECT id FROM components") == [("sc_a",)]
    # What was read once stays when it cannot be read any more, and is not written anew after.
    world.contract.broken["/components/sc_a", 0] = NOT_FOUND
    world.refer("dc_a", "sc_a", updated_at=1_600_000_001)
    assert world.load() == ["sc_a"]
    world.serve("sc_a")
    world.refer("dc_a", "sc_a", updated_at=1_600_000_002)
    assert world.load() == ["sc_a"]
    assert not world.report.tally.rows.get("components")
    assert world.warehouse.rows("SELECT id FROM components") == [("sc_a",)]


def test_what_failed_is_told_and_asked_again(world: World) -> None:
    world.refer("dc_a", "sc_a")
    world.refer("dc_b", "sc_b")
    world.serve("sc_a")
    world.contract.broken["/components/sc_b", 0] = Reply(b'{"data":null}')
    assert world.load(code=3) == ["sc_a", *["sc_b"] * 3]
    assert list(world.report.tally.errors) == ["components/sc_b"]
    assert world.warehouse.rows("SELECT id FROM components") == [("sc_a",)]
    world.serve("sc_b")
    assert world.load() == ["sc_b"]
    assert world.warehouse.one("SELECT count(*) FROM components") == (2,)


def test_ids_that_cannot_stand_in_a_path_are_not_asked_for(world: World) -> None:
    for n, key in enumerate(["../users/me", "", None, 5, ["sc_a"], "sc_a?x=1"]):
        world.refer(f"dc_{n}", key)
    assert world.load() == []
    assert world.warehouse.one("SELECT count(*) FROM sources") == (6,)


def test_nothing_is_asked_without_whole_lists(world: World) -> None:
    for n in range(30):
        world.refer(f"dc_{n:02}", f"sc_{n:02}")
        world.serve(f"sc_{n:02}")
    world.contract.broken[SOURCES, 1] = Reply(b'{"error":"oops"}', 500)
    assert world.load(code=3) == []
    assert world.warehouse.rows("SELECT * FROM components") == []
    assert world.load(source_ids=["dc_00"], discover=False) == []
    world.contract.broken.pop((SOURCES, 1))
    assert len(world.load()) == 30
    assert world.warehouse.one("SELECT count(*) FROM components") == (30,)


def test_with_resources_takes_the_code_along(world: World) -> None:
    world.refer("dc_a", "sc_a")
    world.serve("sc_a")
    world.warehouse.pipeline().run(world.warehouse.source().with_resources("components"))
    assert world.warehouse.one("SELECT code FROM component_code") == (CODE,)


def test_add_limit_loses_no_component(world: World) -> None:
    world.refer("dc_a", "sc_a")
    world.serve("sc_a")
    world.warehouse.pipeline().run(world.warehouse.source().add_limit(1))
    world.warehouse.pipeline().run(world.warehouse.source())
    assert world.warehouse.one("SELECT id, code FROM components, component_code") == ("sc_a", CODE)


def test_add_limit_loses_no_table(world: World) -> None:
    world.refer("dc_a", None)
    world.warehouse.pipeline().run(world.warehouse.source().add_limit(1))
    world.warehouse.pipeline().run(world.warehouse.source())
    assert world.warehouse.rows("SELECT * FROM components, component_code") == []
