"""A server of the API's contract that answers from memory: python -m benchmarks.server INPUT.

Answers are rendered before it says that it accepts connections, so that what it costs is no more
than sending bytes. It prints its base URL, and serves until it is killed. Under `/_bench/`:
`advance` emits the fresh events, `figures` tells what it sent and when it was first asked, `reset`
forgets that.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from benchmarks.inputs import INPUTS, WINDOW, Input, emitter_of, id_ms, metadata, payload

USER = b'{"data":{"id":"u_bench1","username":"bench","email":"bench@example.com","orgs":[]}}'


class Pages:
    """All answers, rendered once.

    Args:
        given: what there is to load.
    """

    def __init__(self, given: Input) -> None:
        self.given = given
        self.fresh = 0
        self.ids = [emitter_of(number) for number in range(given.streams)]
        self.rendered: dict[tuple[str, int, str], bytes] = {}
        for emitter in self.ids:
            self.events_of(emitter, WINDOW, "event_summaries")

    def advance(self) -> None:
        """Emit the fresh events."""
        self.fresh = self.given.fresh_events
        touched = set(self.ids[: self.given.fresh_streams])
        self.rendered = {key: page for key, page in self.rendered.items() if key[0] not in touched}
        for emitter in touched:
            self.events_of(emitter, WINDOW, "event_summaries")

    def events_of(self, emitter: str, limit: int, kind: str) -> bytes:
        """Return the newest events of a stream, rendered when they are first asked for."""
        key = (emitter, limit, kind)
        if key not in self.rendered:
            stream = int(emitter.removeprefix("dc_"))
            last = self.given.events + (self.fresh if stream < self.given.fresh_streams else 0)
            window = range(max(0, last - WINDOW), last)
            places = list(reversed(window))[:limit]
            is_summary = kind == "event_summaries"
            row = self.summary if is_summary else self.bare
            cursor = id_ms(self.given, stream, places[-1]) if is_summary else None
            rows = [row(stream, place) for place in places]
            self.rendered[key] = _page(rows, len(window), cursor)
        return self.rendered[key]

    def summary(self, stream: int, place: int) -> bytes:
        """Render one event summary."""
        ms, text = id_ms(self.given, stream, place), payload(self.given, stream, place)
        return b'{"id":"%d-0","indexed_at_ms":%d,"event":%s,"metadata":%s}' % (
            *(ms, ms, text, metadata(stream, place)),
        )

    def bare(self, stream: int, place: int) -> bytes:
        """Render one event as the undocumented `/events` does."""
        ms, text = id_ms(self.given, stream, place), payload(self.given, stream, place)
        return b'{"id":"%d-0","e":%s,"k":"emit","ts":%d}' % (ms, text, ms)

    def sources(self, after: str | None) -> bytes:
        """Render a page of the source list."""
        start = self.ids.index(after) + 1 if after else 0
        found = self.ids[start : start + 100]
        rows = [{"id": i, "name": i, "active": True, "configured_props": {}} for i in found]
        info = {"total_count": len(self.ids), "count": len(found)}
        end = {"end_cursor": found[-1]} if found else {}
        return json.dumps({"page_info": info | end, "data": rows}).encode()

    def answer(self, target: str) -> bytes:
        """Answer a request's target."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path.removeprefix("/v1").strip("/").split("/"):
            case ["users", "me"]:
                return USER
            case ["users", "me", "sources"]:
                return self.sources(query.get("after"))
            case ["sources", emitter, "event_summaries" | "events" as kind]:
                if query.get("after"):
                    return _page([], self.given.events)
                return self.events_of(emitter, min(int(query.get("limit", 10)), WINDOW), kind)
            case _:
                return b'{"data":[]}'


def _page(rows: list[bytes], total: int, cursor_ms: int | None = None) -> bytes:
    cursor = b"" if cursor_ms is None else b',"end_cursor":"%d-0"' % cursor_ms
    return b'{"page_info":{"total_count":%d,"count":%d%s},"data":[%s]}' % (
        *(total, len(rows), cursor, b",".join(rows)),
    )


class Server:
    """Sends what `Pages` says, after a delay where one is asked for.

    Args:
        pages: the answers.
        latency_s: how long each answer takes.
        pack: what compresses a body for clients that accept gzip; None to send it as it is.
    """

    def __init__(
        self, pages: Pages, latency_s: float, pack: Callable[[bytes], bytes] | None
    ) -> None:
        self.pages = pages
        self.latency_s = latency_s
        self.pack = pack
        self.reset()

    def reset(self) -> None:
        """Count from here on."""
        self.requests = self.nbytes = 0
        self.first_at: float | None = None
        self.cpu_s = time.process_time()

    def figures(self) -> bytes:
        """Tell what was sent since the last reset; `first_at` is a time of CLOCK_MONOTONIC."""
        told = {"requests": self.requests, "bytes": self.nbytes, "first_at": self.first_at}
        return json.dumps(told | {"cpu_s": time.process_time() - self.cpu_s}).encode()

    def control(self, name: str) -> bytes:
        """Carry out a call under `/_bench/`."""
        if name == "advance":
            self.pages.advance()
        if name == "reset":
            self.reset()
        return self.figures()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode()
                extra = b""
                if target.startswith("/_bench/"):
                    body = self.control(target.removeprefix("/_bench/"))
                else:
                    self.first_at = self.first_at or time.monotonic()
                    if self.latency_s:
                        await asyncio.sleep(self.latency_s)
                    body = self.pages.answer(target)
                    if self.pack and b"gzip" in head:
                        body, extra = self.pack(body), b"Content-Encoding: gzip\r\n"
                    self.requests += 1
                    self.nbytes += len(body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + extra)
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body))
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def serve(server: Server) -> None:
    """Serve on a free port of the loopback address."""
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, limit=1 << 20, backlog=512)
    port = listening.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}/v1\n")
    sys.stdout.flush()
    await listening.serve_forever()


def main() -> None:
    """Serve what the command line names: INPUT [LATENCY_S] [gzip]."""
    name, *rest = sys.argv[1:]
    latency_s = float(rest[0]) if rest else 0.0
    pack = (lambda body: gzip.compress(body, 1)) if "gzip" in rest else None
    asyncio.run(serve(Server(Pages(INPUTS[name]), latency_s, pack)))


if __name__ == "__main__":
    main()
