"""A second, independent reading of the API's contract, and a server that breaks it on request.

It shares nothing with the package, its sandbox included: what one of them misreads, the other does
not repeat. Every stream keeps all that was ever emitted, which is what tables are compared with,
and shows the last hundred, in whatever order and with whatever cursors its manners say.
"""

import json
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

KEY = "pd_test+key/9f3c1e7a=Zq"
KEPT = 100
HOUR = 3_600_000


@dataclass
class Reply:
    """An answer as it goes over the wire; `cut` bytes of the body are promised and not sent.

    `raw` answers in place of all else: it may send what is no HTTP.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    raw: Callable[[socket.socket], None] | None = None


@dataclass(frozen=True)
class Event:
    """An emitted event: its id as text, its payload as bytes, and the whole row as sent."""

    id: str
    event: bytes | None
    raw: bytes


def make(
    event_id: str,
    event: bytes | None = b'{"n":1}',
    *,
    channel: str = "",
    emitter: str = "dc_x",
    metadata: bytes | None = b"default",
) -> Event:
    """Write a row; None leaves a member out."""
    if metadata == b"default":
        names = {"emit_id": f"1kt{event_id}", "name": channel, "emitter_id": emitter}
        metadata = json.dumps(names).encode()
    ms = event_id.split("-")[0]
    parts = [b'"id":' + json.dumps(event_id).encode()]
    if ms.isdecimal():
        parts.append(b'"indexed_at_ms":' + ms.encode())
    if event is not None:
        parts.append(b'"event":' + event)
    if metadata is not None:
        parts.append(b'"metadata":' + metadata)
    return Event(event_id, event, b"{" + b", ".join(parts) + b"}")


class Stream:
    """One emitter's channel.

    Attributes:
        emitted: all events ever, in order of emission; `shown` is what the API still keeps.
        order: `newest`, `oldest` or `shuffled`.
        after: `exclusive`, `inclusive`, `ignored` or `newer`.
        cursor: `last`, `missing`, `null`, `repeated` or `aba`.
        most: rows in a page, whatever limit was asked for.
        limit: which rows it leaves: `newest`, `oldest` or all (`ignored`).
        total: what `total_count` says; None for the truth, -1 for no such key.
        answers: replaces the page by something else while it returns a reply.
        on_page: called before each page, e.g. to emit while a walk goes on.
    """

    def __init__(self, emitter: str, channel: str = "") -> None:
        self.emitter, self.channel = emitter, channel
        self.emitted: list[Event] = []
        self.shown: list[Event] = []
        self.order, self.after, self.cursor = "newest", "exclusive", "last"
        self.most, self.limit = 100, "newest"
        self.total: int | None = None
        self.answers: Callable[[dict[str, str]], Reply | None] | None = None
        self.on_page: Callable[[], None] | None = None
        self.requests = 0

    def emit(self, event_id: str, event: bytes | None = b'{"n":1}', **parts) -> Event:
        made = make(event_id, event, channel=self.channel, emitter=self.emitter, **parts)
        self.add(made)
        return made

    def add(self, made: Event) -> None:
        self.emitted.append(made)
        self.shown = [*self.shown, made][-KEPT:]

    def emit_many(self, count: int, start_ms: int, step_ms: int = 1000) -> None:
        for n in range(count):
            ms = start_ms + n * step_ms
            self.emit(f"{ms}-0", b'{"of": "%s", "ms":%d}' % (self.emitter.encode(), ms))

    def page(self, query: dict[str, str]) -> Reply:
        self.requests += 1
        if self.on_page:
            self.on_page()
        instead = self.answers(query) if self.answers else None
        if instead is not None:
            return instead
        shown = self._ordered()
        total = len(shown) if self.total is None else self.total
        rows = self._cut(shown, query)
        info: dict[str, object] = {"count": len(rows), "excluded_count": 0}
        if total >= 0:
            info["total_count"] = total
        info |= self._cursors(rows)
        body = b'{"page_info":%s,"data":[%s]}' % (
            json.dumps(info).encode(),
            b",".join(row.raw for row in rows),
        )
        return Reply(body)

    def _ordered(self) -> list[Event]:
        shown = list(self.shown)
        if self.order == "newest":
            shown.reverse()
        elif self.order == "shuffled":
            random.Random(len(self.emitted)).shuffle(shown)
        return shown

    def _cut(self, shown: list[Event], query: dict[str, str]) -> list[Event]:
        limit = min(int(query.get("limit", "10")), self.most)
        if self.limit != "newest":
            return shown[-limit:] if self.limit == "oldest" else shown
        at = next((n for n, row in enumerate(shown) if row.id == query.get("after")), None)
        if at is None or self.after == "ignored":
            return shown[:limit]
        if self.after == "newer":
            return shown[:at][:limit]
        return shown[at + (self.after == "exclusive") :][:limit]

    def _cursors(self, rows: list[Event]) -> dict[str, object]:
        match self.cursor:
            case "missing":
                return {}
            case "null":
                return {"start_cursor": None, "end_cursor": None}
            case "repeated":
                return {"start_cursor": "same", "end_cursor": "same"}
            case "aba":
                return {"end_cursor": "ab"[self.requests % 2]}
        ends = (rows[0].id, rows[-1].id) if rows else (None, None)
        return {"start_cursor": ends[0], "end_cursor": ends[1]}


class Contract:
    """The server: `streams`, `lists` and `orgs` are plain state that tests change at will.

    Attributes:
        lists: objects of each list by its path.
        broken: replies that stand in for an answer, by (path, number of the page from 0).
        journal: path and query of each request with the right key.
        strangers: Authorization headers that were not the key.
        deaf_to_names: emitters of which an event name is not obeyed.
        shows_all: emitters whose window without an event name holds every channel's events.
        slow_s: seconds before each answer about events.
        date_s: the time of each answer, Unix seconds; None for the clock's.
    """

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], Stream] = {}
        self.lists: dict[str, list[dict]] = {"/users/me/sources": [], "/users/me/subscriptions": []}
        self.broken: dict[tuple[str, int], Reply] = {}
        self.orgs: list[str] = []
        self.journal: list[tuple[str, dict[str, str]]] = []
        self.strangers: list[str] = []
        self.deaf_to_names: set[str] = set()
        self.shows_all: set[str] = set()
        self.slow_s = 0.0
        self.date_s: float | None = None
        self.key_works: Callable[[int], bool] = lambda _: True
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        # A connection may be gone between `select` and `accept`: without a time limit `accept`
        # would then wait for the next one, and `shutdown` for `accept`, for ever.
        self._server.socket.settimeout(1)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def stream(self, emitter: str, channel: str = "", **manners) -> Stream:
        """Return a stream, made (and its source listed) at first."""
        key = (emitter, channel)
        if key not in self.streams:
            self.streams[key] = Stream(*key)
            if not emitter.startswith("p_") and not channel:
                self.lists["/users/me/sources"].append(source(emitter))
        for name, value in manners.items():
            if not hasattr(self.streams[key], name):
                raise AttributeError(name)
            setattr(self.streams[key], name, value)
        return self.streams[key]

    def subscribe(self, emitter: str, event_name: str = "", listener: str = "dc_none") -> None:
        rows = self.lists["/users/me/subscriptions"]
        rows.append(
            {
                "id": f"sub_{len(rows)}",
                "emitter_id": emitter,
                "listener_id": listener,
                "event_name": event_name,
            }
        )

    def emitted(self, *, workflows: bool = False) -> dict[tuple[str, str, str], bytes | None]:
        """Return everything that was ever emitted: payload by key."""
        return {
            (s.emitter, s.channel, row.id): row.event
            for s in self.streams.values()
            if s.emitter.startswith("p_") == workflows
            for row in s.emitted
        }

    def answer(self, target: str, authorization: str) -> Reply:
        with self._lock:
            if authorization != f"Bearer {KEY}" or not self.key_works(len(self.journal)):
                self.strangers.append(authorization)
                echo = json.dumps({"error": f"invalid key: {authorization}"})
                return Reply(echo.encode(), 401)
            parts = urlsplit(target)
            path = parts.path.removeprefix("/v1").rstrip("/")
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            self.journal.append((path, query))
        if path.endswith("/event_summaries"):
            time.sleep(self.slow_s)
        with self._lock:
            return self._route(path, query)

    def _route(self, path: str, query: dict[str, str]) -> Reply:
        if path == "/users/me":
            me = {"id": "u_me", "username": "me", "orgs": [{"id": o} for o in self.orgs]}
            return Reply(json.dumps({"data": me}).encode())
        if path in self.lists or (path, 0) in self.broken:
            return self._list(path, query)
        parts = path.split("/")[1:]
        stream = self._find(parts, query)
        if stream and not stream.channel and parts[1] in self.shows_all:
            stream = self._whole(parts[1])
        if stream is None:
            return Reply(b'{"error":"record not found"}', 404)
        return stream.page(query)

    def _find(self, parts: list[str], query: dict[str, str]) -> Stream | None:
        match parts:
            case ["sources", emitter, "event_summaries"]:
                channel = "" if emitter in self.deaf_to_names else query.get("event_name", "")
            case ["workflows", emitter, "event_summaries"]:
                channel = ""
            case ["workflows", emitter, channel, "event_summaries"]:
                pass
            case _:
                return None
        return self.streams.get((emitter, unquote(channel)))

    def _whole(self, emitter: str) -> Stream:
        """Return all channels of an emitter as if they were one; each keeps a hundred events."""
        whole = Stream(emitter)
        whole.answers = self.streams[emitter, ""].answers
        streams = [s for s in self.streams.values() if s.emitter == emitter]
        whole.shown = sorted((e for s in streams for e in s.shown), key=lambda e: e.id)
        return whole

    def _list(self, path: str, query: dict[str, str]) -> Reply:
        """Serve ten or so objects a page; the cursor is the row's number, as opaque as any."""
        start = int(query.get("after", "c0")[1:])
        size = min(int(query.get("limit", "10")), 20)
        if (path, start // size) in self.broken:
            return self.broken[path, start // size]
        rows = self.lists[path]
        page = rows[start : start + size]
        info = {"total_count": len(rows), "count": len(page), "end_cursor": f"c{start + size}"}
        body: dict[str, object] = {"page_info": info, "data": page}
        if "subscriptions" in path:
            body = {"data": rows}
        return Reply(json.dumps(body).encode())


def source(emitter: str, **fields) -> dict:
    """Return a source as the lists show it."""
    made = {
        "id": emitter,
        "component_id": "sc_1",
        "configured_props": {"http": {"endpoint_url": "https://x.m.pipedream.net"}},
        "active": True,
        "created_at": 1_587_679_599,
        "updated_at": 1_587_764_467,
        "name": emitter,
        "name_slug": emitter,
    }
    return made | fields


def _handler(contract: Contract) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True
        timeout = 30

        def do_GET(self) -> None:
            reply = contract.answer(self.path, self.headers.get("Authorization", ""))
            try:
                self._send(reply)
            except OSError:
                self.close_connection = True

        def _send(self, reply: Reply) -> None:
            if reply.raw:
                self.close_connection = True
                return reply.raw(self.connection)
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body) + reply.cut))
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()
            if reply.cut:
                self.close_connection = True

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                # The client was killed in the midst of an answer.
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:
                self.close_connection = True

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(timestamp or contract.date_s)

        def log_message(self, *args: object) -> None:
            pass

    return Handler
