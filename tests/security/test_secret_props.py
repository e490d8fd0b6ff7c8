"""What a component marks as secret is stored nowhere, however innocent its name is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.integration.contract import Contract, Reply, Warehouse, source
from tests.security.canary import leaks

SECRET = "hunter2+hunter2/hunter2="
SOURCES = "/users/me/sources"


def chaos(value: Any) -> Any:
    """Leave a case to the long run."""
    return pytest.param(value, marks=pytest.mark.chaos)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)


def serve(contract: Contract, props: Any, name: str = "greeting", updated_at: int = 1) -> None:
    """List one source whose component has these props, and let something be new in its stream."""
    given = {name: SECRET, "url": "https://example.com"}
    listed = source("dc_a", configured_props=given, component_id="sc_a", updated_at=updated_at)
    stream = contract.stream("dc_a")
    stream.emit(f"{1_700_000_000_000 + len(stream.emitted)}-0")
    contract.lists[SOURCES] = [listed]
    contract.lists["/users/me/webhooks"] = []
    body = json.dumps({"data": {"id": "sc_a", "configurable_props": props}}).encode()
    contract.broken["/components/sc_a", 0] = Reply(body)


def marked(name: str = "greeting", **fields: Any) -> list[dict[str, Any]]:
    return [{"name": name, "type": "string", "secret": True, **fields}, {"name": "url"}]


def stored(warehouse: Warehouse) -> list[Mapping[str, Any]]:
    query = "SELECT configured_props::VARCHAR FROM sources ORDER BY _dlt_valid_from"
    return [json.loads(text) for (text,) in warehouse.rows(query)]


def asked(contract: Contract) -> int:
    return sum(path.startswith("/components/") for path, _ in contract.journal)


@pytest.mark.parametrize("name", ["greeting", chaos("Grüße"), "grin\ud83d", chaos("new\nline")])
def test_a_prop_that_its_component_calls_secret_is_not_stored(
    contract: Contract, warehouse: Warehouse, name: str
) -> None:
    serve(contract, marked(name, default=SECRET), name)
    assert warehouse.load().exit_code == 0
    (props,) = stored(warehouse)
    if name.isprintable():
        assert props["url"] == "https://example.com"
    assert asked(contract) == 1
    assert leaks(warehouse.folder, {"prop": SECRET}) == []


def test_what_is_secret_is_remembered(contract: Contract, warehouse: Warehouse) -> None:
    """Neither a second load nor a new working folder asks again, or tells more than before."""
    serve(contract, marked())
    warehouse.load()
    serve(contract, marked())
    warehouse.load()
    assert asked(contract) == 1
    assert len(stored(warehouse)) == 1
    serve(contract, marked(), updated_at=2)
    warehouse.load()
    assert asked(contract) == 2
    assert {props["greeting"] for props in stored(warehouse)} == {stored(warehouse)[0]["greeting"]}
    assert leaks(warehouse.folder, {"prop": SECRET}) == []


@pytest.mark.parametrize("status", [500, chaos(503), chaos(418)])
def test_a_component_that_cannot_be_asked_now_hides_all_props(
    contract: Contract, warehouse: Warehouse, status: int
) -> None:
    serve(contract, marked())
    good = contract.broken["/components/sc_a", 0]
    contract.broken["/components/sc_a", 0] = Reply(b'{"error":"no"}', status)
    assert warehouse.load().exit_code == 3
    assert leaks(warehouse.folder, {"prop": SECRET}) == []
    serve(contract, marked())
    contract.broken["/components/sc_a", 0] = good
    assert warehouse.load().exit_code == 0
    assert stored(warehouse)[-1]["url"] == "https://example.com"
    assert leaks(warehouse.folder, {"prop": SECRET}) == []


@pytest.mark.parametrize(
    "props", [chaos(None), chaos({}), chaos("text"), [1, None, {"secret": True}]]
)
def test_a_component_of_another_shape_stops_no_load(
    contract: Contract, warehouse: Warehouse, props: Any
) -> None:
    serve(contract, props)
    assert warehouse.load().exit_code == 0
    assert stored(warehouse)[0]["url"] == "https://example.com"


def test_a_source_by_hand_hides_them_too(contract: Contract, warehouse: Warehouse) -> None:
    serve(contract, marked())
    warehouse.pipeline().run(warehouse.source().with_resources("sources"))
    assert stored(warehouse)[0]["url"] == "https://example.com"
    assert leaks(warehouse.folder, {"prop": SECRET}) == []
