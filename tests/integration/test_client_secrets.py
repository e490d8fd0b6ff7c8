"""What a client shows of its secrets: in its own words, in interrupts, in what it sends."""

from __future__ import annotations

import json
import logging
from typing import Any, NoReturn

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from pipedream_source.api import calls
from pipedream_source.api.client import PipedreamClient
from pipedream_source.exceptions import ChangeUncertain, ConfigurationError
from tests.integration import transports
from tests.integration.wire import KEY, WireServer, answer, error, everything_shown

no_waiting = transports.no_waiting
server = transports.server

SECRET = "client+secret/0123456789abcdef"
PROP = "hunter2-in-a-prop"
PROPS = {"httpRequest": {"auth": {"type": "bearer", "token": PROP}}}


def credentials() -> list[dict[str, Any]]:
    return [{"api_key": KEY}, {"client_id": "id-1", "client_secret": SECRET}]


@pytest.mark.parametrize("kind", [0, 1], ids=["key", "oauth"])
def test_a_client_shows_no_secret(kind: int) -> None:
    with PipedreamClient(base_url="http://127.0.0.1:1", **credentials()[kind]) as client:
        parts = [client, client.transport, client.limiter]
        shown = repr(parts) + "".join(repr(vars(part)) for part in parts)
    assert not [secret for secret in (KEY, SECRET) if secret in shown]


@pytest.mark.parametrize("kind", [0, 1], ids=["key", "oauth"])
def test_an_interrupt_shows_no_secret(
    server: WireServer, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    """Ctrl-C comes while a frame far below knows the headers and the body."""

    def interrupt(pool: object, *given: object, **known: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", interrupt)
    client = PipedreamClient(base_url=server.url, **credentials()[kind])
    with pytest.raises(KeyboardInterrupt) as caught:
        client.workspace("o_1")
    client.close()
    shown = everything_shown(caught.value)
    assert not [secret for secret in (KEY, SECRET) if secret in shown]


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://example.com"},
        {"base_url": "https://example.com", "org_id": "dc_1"},
        {"base_url": "https://example.com", "ca_bundle": "/nowhere/at/all"},
    ],
    ids=lambda wrong: "-".join(wrong),
)
@pytest.mark.parametrize("kind", [0, 1], ids=["key", "oauth"])
def test_a_client_that_cannot_be_made_shows_no_secret(kind: int, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        PipedreamClient(**{**credentials()[kind], **wrong})
    shown = everything_shown(caught.value)
    assert not [secret for secret in (KEY, SECRET) if secret in shown]


@pytest.mark.parametrize("given", [{"client_id": "x"}, {"client_secret": "y"}])
def test_too_many_credentials_are_not_shown(given: dict[str, str]) -> None:
    keys = [KEY]
    with pytest.raises(ConfigurationError, match="not both") as caught:
        PipedreamClient(keys.pop(), **given)  # type: ignore[arg-type]
    assert KEY not in everything_shown(caught.value)


def test_what_a_source_is_configured_with_is_sent_and_not_shown(
    server: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.plan(error(500, f"cannot use {KEY}"), answer(200, b'{"data":[]}'))
    request = calls.create_source(component_id="sc_1", name="n", configured_props=PROPS)
    with (
        PipedreamClient(KEY, base_url=server.url) as client,
        pytest.raises(ChangeUncertain) as caught,
    ):
        client.send(request)
    assert PROP.encode() in server.seen[0].body
    shown = everything_shown(caught.value).replace(repr(PROPS), "") + caplog.text + repr(request)
    assert PROP not in shown
    assert KEY not in shown.replace(repr(KEY), "")


def test_what_was_found_is_redacted(server: WireServer) -> None:
    made = {"id": "dc_1", "name": "n", "component_id": "sc_1", "configured_props": PROPS}
    server.plan(error(502), answer(200, json.dumps({"data": [made]}).encode()))
    with (
        PipedreamClient(KEY, base_url=server.url) as client,
        pytest.raises(ChangeUncertain) as caught,
    ):
        client.create_source(component_id="sc_1", name="n")
    assert caught.value.found
    assert PROP not in str(caught.value) + repr(caught.value.found)


def test_a_name_cannot_carry_the_key_into_a_message(server: WireServer) -> None:
    made = b'{"data":[{"id":"wh_1","url":"https://a.b","name":"%s"}]}' % KEY.encode()
    server.plan(error(502), answer(200, made))
    with (
        PipedreamClient(KEY, base_url=server.url) as client,
        pytest.raises(ChangeUncertain, match="wh_1") as caught,
    ):
        client.create_webhook("https://a.b")
    assert KEY not in str(caught.value)
