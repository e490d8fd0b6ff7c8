"""Clients of the stand-in, one server for each worker, put back to its seed before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.http import limiter as limiter_module
from pipedream_source.sandbox import Sandbox

SEED = 7
RSS = (
    "https://github.com/PipedreamHQ/pipedream/blob/master/components/rss/sources/"
    "new-item-in-feed/new-item-in-feed.js"
)
CODE = """export default {
  key: "my-component",
  name: "My component",
  version: "0.0.1",
  props: { url: { type: "string", label: "URL" } },
  async run() { this.$emit({ hello: 1 }) },
}
"""

MakeClient = Callable[..., PipedreamClient]


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(seed=SEED) as running:
        yield running


@pytest.fixture
def sandbox(running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setattr(limiter_module, "BACKOFF_BASE_S", 0.0001)
    running.reset(seed=SEED)
    return running


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[MakeClient]:
    """Make clients of the sandbox, by default with its key."""
    made: list[PipedreamClient] = []

    def make(**settings: Any) -> PipedreamClient:
        if not {"api_key", "client_id"} & set(settings):
            settings["api_key"] = sandbox.api_key
        made.append(PipedreamClient(**{"base_url": sandbox.url, **settings}))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(connect: MakeClient) -> PipedreamClient:
    return connect()


def sent(sandbox: Sandbox, method: str = "", path: str = "") -> list[dict[str, Any]]:
    """Give the calls that the sandbox saw, of one method and path if they are named."""
    return [
        entry
        for entry in sandbox.journal()
        if method in ("", entry["method"]) and path in ("", entry["path"].removeprefix("/v1"))
    ]
