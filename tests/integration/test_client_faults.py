"""Every call under every fault: what is repeated, what never is, and what is told."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator

import pytest

from pipedream_source.api import calls
from pipedream_source.api.client import PipedreamClient
from pipedream_source.exceptions import (
    BadRequest,
    ChangeUncertain,
    ConnectionFailed,
    DeadlineExceeded,
    Deferred,
    ProtocolError,
    RedirectRefused,
    ServerFailure,
    Unauthorized,
    Unavailable,
)
from pipedream_source.settings import MAX_TRIES
from tests.integration import transports
from tests.integration.every_call import EVERY_CALL, of_methods
from tests.integration.wire import (
    KEY,
    Behaviour,
    Connection,
    WireServer,
    answer,
    error,
    everything_shown,
)

no_waiting = transports.no_waiting
server = transports.server

ALL = list(EVERY_CALL)
REPEATED = of_methods("GET", "PUT", "DELETE")
POSTS = of_methods("POST")
HTML = answer(200, b"<html>busy</html>")
EMPTY_LIST = answer(200, b'{"data":[]}')

Connect = Callable[..., PipedreamClient]


@pytest.fixture
def connect(server: WireServer) -> Iterator[Connect]:
    made: list[PipedreamClient] = []

    def make(url: str = "", **settings: object) -> PipedreamClient:
        settings = {"request_timeout_s": 30.0, **settings}
        made.append(PipedreamClient(KEY, base_url=url or server.url, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        client.close()


def good(name: str) -> Behaviour:
    body = EVERY_CALL[name].good
    return answer(200 if body else 204, body)


def methods(server: WireServer) -> list[str]:
    return [seen.method for seen in server.seen]


def test_every_call_is_among_them() -> None:
    assert set(EVERY_CALL) == set(calls.__all__)


@pytest.mark.parametrize("name", ALL)
def test_a_good_answer_is_taken(server: WireServer, connect: Connect, name: str) -> None:
    server.plan(good(name))
    EVERY_CALL[name].call(connect())
    first = server.seen[0]
    assert first.method == EVERY_CALL[name].method
    assert first.headers["authorization"] == f"Bearer {KEY}"
    json_named = first.headers.get("content-type") == "application/json"
    assert json_named == (first.method != "GET")
    assert (first.body == b"") or isinstance(json.loads(first.body), dict)


PASSING = {
    "500": error(500),
    "503": error(503),
    "408": error(408),
    "reset": Connection.reset,
    "closed": lambda connection: None,
    "short": answer(200, b'{"data":', length=500),
}


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("name", REPEATED)
def test_reads_and_harmless_changes_are_repeated(
    server: WireServer, connect: Connect, name: str, fault: str
) -> None:
    server.plan(PASSING[fault], PASSING[fault], good(name))
    EVERY_CALL[name].call(connect())
    assert methods(server)[:3] == [EVERY_CALL[name].method] * 3


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("name", POSTS)
def test_a_post_that_may_have_landed_is_not_repeated(
    server: WireServer, connect: Connect, name: str, fault: str
) -> None:
    server.plan(PASSING[fault], EMPTY_LIST)
    with pytest.raises(ChangeUncertain, match="was not repeated") as caught:
        EVERY_CALL[name].call(connect())
    assert methods(server).count("POST") == 1
    assert caught.value.path == server.seen[0].target.removeprefix("/v1").partition("?")[0]
    assert "tries" not in str(caught.value)
    looked = len(server.seen) > 1
    assert caught.value.found == ([] if looked else None)
    assert looked == (name not in ("create_component", "auto_subscribe"))


@pytest.mark.parametrize("name", ALL)
def test_a_rate_limit_is_waited_for(server: WireServer, connect: Connect, name: str) -> None:
    server.plan(error(429, Retry_After="0"), good(name))
    EVERY_CALL[name].call(connect())
    assert methods(server)[:2] == [EVERY_CALL[name].method] * 2


@pytest.mark.parametrize("name", ALL)
def test_a_rate_limit_beyond_the_budget_defers(
    server: WireServer, connect: Connect, name: str
) -> None:
    server.plan(error(429, Retry_After="99999"))
    with pytest.raises(Deferred) as caught:
        EVERY_CALL[name].call(connect())
    assert not caught.value.may_have_landed
    assert len(server.seen) == 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (401, Unauthorized), (403, Unavailable), (422, BadRequest)],
)
def test_a_refusal_is_told_and_not_repeated(
    server: WireServer, connect: Connect, name: str, status: int, kind: type[Exception]
) -> None:
    server.plan(error(status, "not like this"))
    with pytest.raises(kind, match="not like this"):
        EVERY_CALL[name].call(connect())
    # A source that its own call does not give is looked for in the lists.
    assert len(server.seen) == (2 if (name, status) == ("source", 403) else 1)


# A raw call hands on whatever it is answered.
@pytest.mark.parametrize("name", [n for n in REPEATED if n != "request"])
def test_a_proxys_page_is_no_answer(server: WireServer, connect: Connect, name: str) -> None:
    server.plan(HTML, HTML, good(name))
    EVERY_CALL[name].call(connect())
    server.plan(HTML)
    with pytest.raises(ProtocolError, match="busy"):
        EVERY_CALL[name].call(connect())


@pytest.mark.parametrize("name", POSTS)
def test_after_a_proxys_page_a_post_is_open(
    server: WireServer, connect: Connect, name: str
) -> None:
    server.plan(HTML, EMPTY_LIST)
    with pytest.raises(ChangeUncertain, match="busy"):
        EVERY_CALL[name].call(connect())
    assert methods(server).count("POST") == 1


@pytest.mark.parametrize("name", [n for n in of_methods("GET", "PUT") if n != "request"])
def test_an_empty_body_is_no_object_and_no_list(
    server: WireServer, connect: Connect, name: str
) -> None:
    server.plan(answer(200, b""))
    with pytest.raises(ProtocolError, match="body is empty"):
        EVERY_CALL[name].call(connect())


@pytest.mark.parametrize("name", POSTS)
def test_an_empty_body_leaves_a_post_open(server: WireServer, connect: Connect, name: str) -> None:
    server.plan(answer(200, b""), EMPTY_LIST)
    if name == "auto_subscribe":
        assert EVERY_CALL[name].call(connect()) == []
        return
    with pytest.raises(ChangeUncertain, match="body is empty"):
        EVERY_CALL[name].call(connect())


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize("data", [b"{}", b"[]", b"[{}]"])
def test_an_answer_without_what_was_made_leaves_a_post_open(
    server: WireServer, connect: Connect, name: str, data: bytes
) -> None:
    server.plan(answer(200, b'{"data":%b}' % data), EMPTY_LIST)
    if name == "auto_subscribe":
        assert EVERY_CALL[name].call(connect()) == []
        return
    with pytest.raises(ChangeUncertain, match="`data` "):
        EVERY_CALL[name].call(connect())


@pytest.mark.parametrize("name", ["me", "sources", "update_source", "delete_webhook"])
def test_a_deadline_is_not_waited_for_twice(
    server: WireServer, connect: Connect, name: str
) -> None:
    server.plan(lambda connection: connection.dribble(b"HTTP/1.1 200 OK\r\n" * 99))
    with pytest.raises(DeadlineExceeded):
        EVERY_CALL[name].call(connect(request_timeout_s=0.3))
    assert len(server.seen) == 1


@pytest.mark.parametrize("name", POSTS)
def test_after_a_deadline_a_post_is_open(server: WireServer, connect: Connect, name: str) -> None:
    server.plan(lambda connection: connection.dribble(b"HTTP/1.1 200 OK\r\n" * 99), EMPTY_LIST)
    with pytest.raises(ChangeUncertain, match=r"within 0\.3 s"):
        EVERY_CALL[name].call(connect(request_timeout_s=0.3))
    assert methods(server).count("POST") == 1


@pytest.mark.parametrize("name", ALL)
def test_where_nobody_listens_nothing_has_landed(connect: Connect, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    client = connect(url)
    with pytest.raises(ConnectionFailed, match="refused") as caught:
        EVERY_CALL[name].call(client)
    assert (caught.value.unsent, caught.value.may_have_landed) == (True, False)
    assert client.transport.requests == MAX_TRIES


@pytest.mark.parametrize("name", POSTS)
def test_a_post_is_sent_when_the_host_comes_up(
    server: WireServer, connect: Connect, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that cannot be resolved is no request: it is tried again, and sent once."""
    lookup, failures = socket.getaddrinfo, iter(range(2))

    def getaddrinfo(*args: object, **named: object) -> object:
        if next(failures, None) is not None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return lookup(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    server.plan(good(name))
    EVERY_CALL[name].call(connect())
    assert methods(server) == ["POST"]


def test_a_post_follows_a_redirect_with_its_body(server: WireServer, connect: Connect) -> None:
    server.plan(answer(307, b"", {"Location": "/v1/sources/"}), good("create_source"))
    EVERY_CALL["create_source"].call(connect())
    assert [(s.method, s.target) for s in server.seen][1] == ("POST", "/v1/sources/")
    assert server.seen[0].body == server.seen[1].body != b""


def test_see_other_says_that_a_post_landed(server: WireServer, connect: Connect) -> None:
    server.plan(answer(303, b"", {"Location": "/v1/sources/dc_1"}), EMPTY_LIST)
    with pytest.raises(ChangeUncertain, match="took the POST"):
        EVERY_CALL["create_source"].call(connect())
    assert methods(server) == ["POST", "GET"]
    server.plan(answer(303, b"", {"Location": "/v1/sources/dc_1"}))
    with pytest.raises(RedirectRefused, match="took the DELETE"):
        EVERY_CALL["delete_source"].call(connect())


@pytest.mark.parametrize("name", ["delete_source", "delete_webhook", "delete_subscription"])
@pytest.mark.parametrize("fault", [Connection.reset, error(500)], ids=["reset", "500"])
def test_gone_after_an_uncertain_deletion_is_deleted(
    server: WireServer, connect: Connect, name: str, fault: Behaviour
) -> None:
    server.plan(fault, error(404, "record not found"))
    assert not EVERY_CALL[name].call(connect())
    server.plan(HTML, error(404, "record not found"))
    assert not EVERY_CALL[name].call(connect())
    server.plan(error(404, "record not found"))
    with pytest.raises(Unavailable):
        EVERY_CALL[name].call(connect())
    server.plan(fault, error(403, "not yours"))
    with pytest.raises(Unavailable, match="not yours"):
        EVERY_CALL[name].call(connect())


def test_a_patch_is_not_repeated_either(server: WireServer, connect: Connect) -> None:
    server.plan(error(500))
    with pytest.raises(ChangeUncertain, match="no list"):
        connect().request("PATCH", "/sources/dc_1", body={"a": 1})
    assert methods(server) == ["PATCH"]


def test_a_failure_for_ever_of_a_harmless_change_is_told(
    server: WireServer, connect: Connect
) -> None:
    server.plan(error(502))
    with pytest.raises(ServerFailure, match=f"after {MAX_TRIES} tries") as caught:
        EVERY_CALL["update_source"].call(connect())
    assert caught.value.may_have_landed
    assert len(server.seen) == MAX_TRIES


@pytest.mark.parametrize("name", ALL)
def test_no_error_of_a_call_shows_the_key(server: WireServer, connect: Connect, name: str) -> None:
    echo = json.dumps({"error": f"bad {KEY}"}).encode()
    for status in (200, 401, 404, 500):
        server.plan(answer(status, echo))
        client = connect()
        if (name, status) == ("request", 200):
            continue
        with pytest.raises(Exception, match="redacted") as caught:
            EVERY_CALL[name].call(client)
        # The test's own frames know the key.
        assert KEY not in everything_shown(caught.value).replace(repr(KEY), "").replace(
            repr(echo), ""
        )
