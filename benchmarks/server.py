"""A server of the API's contract that answers from memory: python server.py STREAMS EVENTS BYTES.

It prints its base URL when it accepts connections, and serves until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

START_MS = 1_764_000_000_000
STEP_MS = 20_000
USER = b'{"data":{"id":"u_bench1","username":"bench","email":"bench@example.com","orgs":[]}}'


class Pages:
    """All answers, rendered once."""

    def __init__(self, streams: int, events: int, nbytes: int) -> None:
        self.ids = [f"dc_{number:06d}" for number in range(streams)]
        self.events = events
        self.filler = "x" * max(nbytes - 60, 1)
        self.parts: dict[tuple[str, int], bytes] = {}
        self.windows = {emitter: self.window(emitter) for emitter in self.ids}

    def window(self, emitter: str) -> bytes:
        """Render a full window, newest first."""
        rows = [self.row(emitter, number) for number in reversed(range(self.events))]
        return self.page(rows, self.events)

    def newest(self, emitter: str, limit: int) -> bytes:
        """Return the last events of a stream, rendered when they are first asked for."""
        if limit >= self.events:
            return self.windows[emitter]
        if (emitter, limit) not in self.parts:
            rows = [self.row(emitter, self.events - 1 - number) for number in range(limit)]
            self.parts[emitter, limit] = self.page(rows, self.events)
        return self.parts[emitter, limit]

    def row(self, emitter: str, number: int) -> str:
        """Render one event summary."""
        ms = START_MS + number * STEP_MS
        return (
            f'{{"id":"{ms}-0","indexed_at_ms":{ms},'
            f'"event":{{"number":{number},"text":"{self.filler}"}},'
            f'"metadata":{{"emit_id":"1ktF96gAMsLqdYSRWYL9KFS5{number:03d}","name":"",'
            f'"emitter_id":"{emitter}"}}}}'
        )

    @staticmethod
    def page(rows: list[str], total: int) -> bytes:
        """Render an envelope."""
        info = json.dumps({"total_count": total, "count": len(rows)})
        return f'{{"page_info":{info},"data":[{",".join(rows)}]}}'.encode()

    def sources(self, after: str | None) -> bytes:
        """Render a page of the source list."""
        start = self.ids.index(after) + 1 if after else 0
        found = self.ids[start : start + 100]
        rows = [{"id": i, "name": i, "active": True, "configured_props": {}} for i in found]
        info = {"total_count": len(self.ids), "count": len(found)}
        if found:
            info["end_cursor"] = found[-1]
        return json.dumps({"page_info": info, "data": rows}).encode()

    def answer(self, target: str) -> bytes:
        """Answer a request's target."""
        url = urlsplit(target)
        query = parse_qs(url.query)
        after = query.get("after", [None])[0]
        match url.path.removeprefix("/v1").strip("/").split("/"):
            case ["users", "me"]:
                return USER
            case ["users", "me", "sources"]:
                return self.sources(after)
            case ["sources", emitter, "event_summaries"]:
                if after:
                    return self.page([], self.events)
                return self.newest(emitter, int(query.get("limit", ["10"])[0]))
            case _:
                return b'{"data":[]}'


async def serve(pages: Pages) -> None:
    """Serve on a free port of the loopback address."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = pages.answer(head.split(b" ", 2)[1].decode())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body))
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 20, backlog=512)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Pages(*map(int, sys.argv[1:4]))))
