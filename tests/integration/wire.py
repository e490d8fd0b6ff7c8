"""A server that speaks raw bytes, so that each way of breaking HTTP can be sent."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

KEY = "pd+secret/KEY=0123456789abcdef"
OK = b'{"data":{"id":"u_1"}}'

Behaviour = Callable[["Connection"], None]


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


class Connection:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self.sock = sock
        self.stopped = stopped

    def send(self, raw: bytes) -> None:
        self.sock.sendall(raw)

    def dribble(self, raw: bytes, every_s: float = 0.05) -> None:
        """Send byte by byte, until the client or the test has had enough."""
        for n in range(len(raw)):
            self.sock.sendall(raw[n : n + 1])
            if self.stopped.wait(every_s):
                return

    def reset(self) -> None:
        """Close with a reset instead of an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()


def answer(
    status: int = 200,
    body: bytes = OK,
    headers: dict[str, str] | None = None,
    length: int | None = None,
) -> Behaviour:
    """Answer with a status, headers and a body; `length` lies about it."""
    fields = {"Content-Length": str(len(body) if length is None else length), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    raw = f"HTTP/1.1 {status} X\r\nConnection: close\r\n{head}\r\n".encode() + body
    return lambda connection: connection.send(raw)


def error(status: int, text: str = "no", **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, json.dumps({"error": text}).encode(), named)


class WireServer:
    """Answers each request with the next behaviour of a script; the last one stays."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.script: list[Behaviour] = [answer()]
        self._tls = tls
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        # A connection may be gone before it is accepted, so that nothing is waited for without end.
        self._listener.settimeout(1)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v1"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def plan(self, *behaviours: Behaviour) -> None:
        self.script = list(behaviours)

    def close(self) -> None:
        self._stopped.set()
        # Whoever waits in `accept` wakes.
        with socket.socket() as caller:
            caller.connect(("127.0.0.1", self.port))
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except (TimeoutError, ConnectionError):
                continue
            if self._stopped.is_set():
                sock.close()
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        sock = raw
        try:
            with raw:
                raw.settimeout(60)
                if self._tls:
                    sock = self._tls.wrap_socket(raw, server_side=True)
                with sock:
                    self._answer_one(sock)
        except (OSError, UnicodeDecodeError):
            return

    def _answer_one(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as lines:
            words = lines.readline().decode().split()
            if len(words) < 2:
                return
            headers: dict[str, str] = {}
            while (line := lines.readline().strip()) != b"":
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            # Unread, a body would turn the answer's end into a reset.
            body = lines.read(int(headers.get("content-length", 0)))
        self.seen.append(Seen(words[0], words[1], headers, body))
        behave = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        behave(Connection(sock, self._stopped))


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    """Serve until the block ends."""
    server = WireServer(tls)
    try:
        yield server
    finally:
        server.close()


def everything_shown(error: BaseException) -> str:
    """Give all that a tool could print of an error: chain, frames, locals, attributes."""
    texts, todo, done = [], [error], set()
    while todo:
        one = todo.pop()
        if id(one) in done:
            continue
        done.add(id(one))
        shown = traceback.TracebackException.from_exception(one, capture_locals=True)
        texts += [*shown.format(chain=False), repr(one), str(one), repr(vars(one))]
        todo += [e for e in (one.__cause__, one.__context__) if e is not None]
    return "".join(texts)
