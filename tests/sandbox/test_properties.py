"""Property tests made from the description: whatever it allows, the sandbox answers as it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest
import requests
from hypothesis import HealthCheck, given, settings

from pipedream_source.sandbox import Sandbox
from pipedream_source.sandbox.http.openapi import description
from pipedream_source.sandbox.http.routes import API_ROUTES, Route
from tests.sandbox.examples import RSS

REAL = {
    "component_url": RSS,
    "event_name": "$errors",
    "key": "http-new-requests",
    "channel": "$errors",
    "expand": "event",
}
BOUNDED = settings(
    # Each is a call, and each route has some.
    max_examples=settings().max_examples // 8,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described() -> Any:
    """The description, read once."""
    # Imported here, as it takes a second, which every worker that collects would wait.
    import schemathesis

    return schemathesis.openapi.from_dict(description("http://127.0.0.1"))


@pytest.fixture(scope="module")
def known(server: Sandbox) -> dict[str, str]:
    """Values that exist, by the parameter that takes them."""
    server.reset(seed=7)
    emitters = {emitter["type"]: emitter["id"] for emitter in server.state()["emitters"]}
    ids = {"source": emitters["source"], "workflow": emitters["workflow"]}
    ids |= {"org_id": server.org_id, "workspace_id": server.org_id}
    return REAL | ids | {"emitter_id": "dc_*", "listener_id": emitters["workflow"]}


def made_real(case: Any, known: dict[str, str]) -> None:
    """Put values that exist in place of some made-up ones, chosen by the case itself."""
    for place in (case.path_parameters, case.query, case.body):
        if not isinstance(place, dict):
            continue
        for name in place.keys() & known.keys():
            if crc32(f"{name}{place[name]!r}".encode("utf-8", "replace")) % 3:
                place[name] = known[name]


@pytest.fixture
def check(
    server: Sandbox, known: dict[str, str], session: requests.Session
) -> Callable[[Any], None]:
    """Send a case and compare the answer with the description."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    server.reset(seed=7)
    headers = {"Authorization": f"Bearer {server.api_key}"}
    wanted = [not_a_server_error, checks.status_code_conformance]
    wanted += [checks.content_type_conformance, checks.response_schema_conformance]

    def call(case: Any) -> None:
        kind = "workflow" if case.path.startswith("/workflows") else "source"
        made_real(case, known | {"id": known[kind]})
        case.call_and_validate(base_url=server.url, headers=headers, checks=wanted, session=session)
        if (case.method, case.path) == ("DELETE", "/sources/{id}"):
            server.reset(seed=7)

    return call


@pytest.mark.hypothesis
@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("route", API_ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_answers_are_as_described(check, described, route: Route, valid: bool):
    import schemathesis

    mode = schemathesis.GenerationMode.POSITIVE if valid else schemathesis.GenerationMode.NEGATIVE
    cases = described[route.path][route.method].as_strategy(generation_mode=mode)
    BOUNDED(given(cases)(check))()
