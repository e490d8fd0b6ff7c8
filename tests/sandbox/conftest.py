"""One server for each worker, put back to its seeded state before each test."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import requests

from pipedream_source.sandbox import Sandbox

Get = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset(seed=7)
    return server


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    with requests.Session() as http:
        http.trust_env = False
        yield http


@pytest.fixture
def get(sandbox: Sandbox, session: requests.Session) -> Get:
    """Call the API with the right key."""

    def call(path: str, **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        return session.get(
            sandbox.url + path, params=params, headers=headers, timeout=60, allow_redirects=False
        )

    return call


class Answer(NamedTuple):
    """A status, the headers by lower-case name, and the body's JSON or text."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def data(self) -> Any:
        return self.body["data"]


Send = Callable[..., Answer]


@pytest.fixture
def send(sandbox: Sandbox) -> Send:
    """Send a request whose target goes over the wire exactly as it is written here."""

    def call(
        method: str, target: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> Answer:
        sent = {"Authorization": f"Bearer {sandbox.api_key if key is None else key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if text is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(sandbox.host, sandbox.port, timeout=60)
        try:
            connection.request(method, "/v1" + target, text, sent)
            response = connection.getresponse()
            raw = response.read().decode()
        finally:
            connection.close()
        names = {name.lower(): value for name, value in response.getheaders()}
        is_json = names.get("content-type", "").startswith("application/json")
        return Answer(response.status, names, json.loads(raw) if is_json else raw)

    return call


@pytest.fixture
def ids(sandbox: Sandbox) -> dict[str, str]:
    """The ids of the seeded emitters by name."""
    return {emitter["name"]: emitter["id"] for emitter in sandbox.state()["emitters"]}


@pytest.fixture
def quiet(ids: dict[str, str]) -> str:
    """A source that emits nothing by itself."""
    return ids["Deploy hooks"]
