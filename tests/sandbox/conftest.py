"""One server for each worker, put back to its seeded state before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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
            sandbox.url + path, params=params, headers=headers, timeout=10, allow_redirects=False
        )

    return call


@pytest.fixture
def ids(sandbox: Sandbox) -> dict[str, str]:
    """The ids of the seeded emitters by name."""
    return {emitter["name"]: emitter["id"] for emitter in sandbox.state()["emitters"]}


@pytest.fixture
def quiet(ids: dict[str, str]) -> str:
    """A source that emits nothing by itself."""
    return ids["Deploy hooks"]
