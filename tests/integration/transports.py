"""Transports to a server that speaks raw bytes, for the tests of what the wire can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pipedream_source.api.http import limiter as limiter_module
from pipedream_source.api.http.auth import BearerAuth
from pipedream_source.api.http.limiter import Limiter
from pipedream_source.api.http.transport import Transport
from pipedream_source.api.protocol import Request
from tests.integration.wire import (
    KEY,
    WireServer,
    serving,
)

ME = Request("/users/me", {"a": "1"})


MakeTransport = Callable[..., Transport]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter_module, "BACKOFF_BASE_S", 0.0001)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[WireServer]:
    with serving() as running:
        yield running


@pytest.fixture
def connect(server: WireServer) -> Iterator[MakeTransport]:
    made: list[Transport] = []

    def make(url: str = "", budget_s: float = 60.0, **options: object) -> Transport:
        options = {"request_timeout_s": 30.0, **options}
        limiter = Limiter(budget_s)
        made.append(Transport(BearerAuth(KEY), url or server.url, limiter, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for transport in made:
        transport.close()
