"""Webhooks: their answers, and real deliveries over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from pipedream_source.sandbox import Sandbox
from pipedream_source.sandbox.world import deliveries
from pipedream_source.sandbox.world.deliveries import Deliveries, is_loopback, may_call


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent, and answers what its path says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        # A connection may be gone before it is accepted: `shutdown` must not wait for another.
        self.socket.settimeout(1)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.release = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        if self.path == "/slow":
            self.server.release.wait(250)
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def settled(sandbox) -> Callable[[], list[dict]]:
    """The log of deliveries once none is under way."""

    def wait() -> list[dict]:
        until = time.monotonic() + 60
        while any(entry["outcome"] == "queued" for entry in sandbox.deliveries()):
            assert time.monotonic() < until
            threading.Event().wait(0.01)
        log: list[dict] = sandbox.deliveries()
        return log

    return wait


def hook(send, emitter: str, url: str) -> str:
    webhook: str = send("POST", "/webhooks", {"url": url}).data["id"]
    send("POST", f"/subscriptions?emitter_id={emitter}&listener_id={webhook}")
    return webhook


def test_created_listed_and_deleted(sandbox, send, quiet):
    target = "/webhooks?url=https://example.com:12345/endpoint&name=n&description=d"
    made = send("POST", target).data
    assert (made["name"], made["description"], made["active"]) == ("n", "d", True)
    assert made["url"] == "https://example.com:12345/endpoint"
    shown = {name: value for name, value in made.items() if name != "user_id"}
    assert shown in send("GET", "/users/me/webhooks").data
    (subscription,) = send(
        "POST", "/subscriptions", {"emitter_id": quiet, "listener_id": made["id"]}
    ).data
    gone = send("DELETE", f"/webhooks/{made['id']}/")
    assert (gone.status, gone.body) == (204, "")
    assert shown not in send("GET", "/users/me/webhooks").data
    assert subscription not in send("GET", "/users/me/subscriptions").data
    again = send("DELETE", f"/webhooks/{made['id']}")
    assert (again.status, again.body) == (404, {"error": "record not found"})


@pytest.mark.parametrize("url", ["https://example.com", "http://example.com", "HTTP://[::1]:80/"])
def test_urls_that_work(send, url):
    assert send("POST", "/webhooks", {"url": url}).data["url"] == url


@pytest.mark.parametrize(
    "url",
    [
        *("example.com", "mysql://user:pass@host:port", "", None, "http://", "http://[x", 7),
        *("https://a b", "http://h:99999", "http://h:x", "http://h/\r\nX: y", "//h"),
    ],
)
def test_urls_that_do_not(send, url):
    answer = send("POST", "/webhooks", {"url": url})
    assert answer.status == 422
    assert "url" in answer.body["error"]


def test_the_raw_event_is_posted(sandbox, send, quiet, receiver, settled):
    webhook = hook(send, quiet, f"{receiver.url}/in?a=b")
    sandbox.control(
        "POST", "emit", {"emitter_id": quiet, "event": {"name": "Zoë", "n": 1.5}, "count": 2}
    )
    log = settled()
    assert [(path, body) for path, _, body in receiver.got] == [
        ("/in?a=b", b'{"name": "Zo\\u00eb", "n": 1.5}')
    ] * 2
    headers = receiver.got[0][1]
    assert headers["Content-Type"] == "application/json"
    assert sandbox.api_key not in str(headers)
    assert [entry["listener_id"] for entry in log] == [webhook, webhook]
    assert {(entry["outcome"], entry["status"]) for entry in log} == {("delivered", 200)}
    assert all(entry["ms"] > 0 for entry in log)


def test_a_500_is_not_retried(sandbox, send, quiet, receiver, settled):
    hook(send, quiet, f"{receiver.url}/broken")
    sandbox.emit(quiet, event=1)
    (entry,) = settled()
    assert (entry["outcome"], entry["status"], len(receiver.got)) == ("refused", 500, 1)


def test_a_slow_receiver_holds_up_nobody(sandbox, send, quiet, receiver, settled):
    hook(send, quiet, f"{receiver.url}/slow")
    ids = sandbox.emit(quiet, event=1, count=3)
    assert send("GET", f"/sources/{quiet}/event_summaries").data[0]["id"] == ids[-1]
    assert {entry["outcome"] for entry in sandbox.deliveries()} == {"queued"}
    receiver.release.set()
    assert {entry["outcome"] for entry in settled()} == {"delivered"}


def test_a_running_clock_delivers_though_nobody_calls(sandbox, send, quiet, receiver):
    hook(send, quiet, receiver.url)
    sandbox.emit(quiet, per_hour=3600, event="tick")
    sandbox.run_clock(60)
    until = time.monotonic() + 60
    while not receiver.got:
        assert time.monotonic() < until
        threading.Event().wait(0.01)
    assert receiver.got[0][2] == b'"tick"'


def test_a_server_stops_though_a_receiver_hangs(receiver, monkeypatch):
    monkeypatch.setattr(deliveries, "TIMEOUT_S", 250.0)
    with Sandbox() as sandbox:
        (source,) = sandbox.add_emitters(1)
        key = {"Authorization": f"Bearer {sandbox.api_key}"}
        body = {"url": f"{receiver.url}/slow"}
        made = requests.post(f"{sandbox.url}/webhooks", json=body, headers=key, timeout=60).json()
        link = {"emitter_id": source, "listener_id": made["data"]["id"]}
        requests.post(f"{sandbox.url}/subscriptions", json=link, headers=key, timeout=60)
        sandbox.emit(source, count=9)
        began = time.monotonic()
    assert time.monotonic() - began < 60


def test_a_receiver_that_is_not_there_is_noted(sandbox, send, quiet, receiver, settled):
    port = receiver.server_port
    receiver.server_close()
    hook(send, quiet, f"http://localhost:{port}/")
    sandbox.emit(quiet, event=1)
    assert settled()[0]["outcome"].startswith("failed: ")


def test_only_loopback_is_called_unless_a_switch_says_more(sandbox, send, quiet, receiver, settled):
    hook(send, quiet, "https://hooks.example.com/x")
    mine = hook(send, quiet, receiver.url)
    sandbox.emit(quiet, event=1)
    assert [entry["outcome"] for entry in settled()] == ["not allowed", "delivered"]
    sandbox.switch(deliveries="none")
    sandbox.emit(quiet, event=2)
    assert [entry["outcome"] for entry in settled()][2:] == ["not allowed", "not allowed"]
    assert len(receiver.got) == 1
    send("DELETE", f"/webhooks/{mine}")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        *(("http://127.0.0.1:1/", True), ("http://127.9.9.9", True), ("http://[::1]/x", True)),
        *(("http://localhost", True), ("http://[::ffff:127.0.0.1]/", True)),
        *(("http://10.0.0.1", False), ("http://169.254.169.254/", False), ("http://[::]", False)),
        *(("http://localhost.example.com", False), ("http://127.0.0.1@example.com/", False)),
        *(("http://0.0.0.0/", False), ("http://2130706433/", False)),
    ],
)
def test_what_is_loopback(url, allowed):
    assert may_call(url, "loopback") is allowed
    assert may_call(url, "anywhere")
    assert not may_call(url, "none")


def test_names_are_not_looked_up():
    assert not is_loopback("loopback.example.com")


def test_the_queue_and_the_log_are_bounded(monkeypatch):
    monkeypatch.setattr(Deliveries, "_work", lambda self: None)
    deliveries = Deliveries(lambda: "anywhere")
    webhook = {"id": "wh_1", "url": "http://127.0.0.1/"}
    for _ in range(1001):
        deliveries.post(webhook, "dc_1", b"1", 0)
    outcomes = [entry["outcome"] for entry in deliveries.as_dict()["data"]]
    assert outcomes[-2:] == ["queued", "dropped: the queue is full"]
    for _ in range(20_000):
        deliveries.stopped("dc_1", "dc_2", "loop", 0)
    assert deliveries.as_dict()["dropped"] == 1001
    assert len(deliveries.as_dict()["data"]) == 20_000
