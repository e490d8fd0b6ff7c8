"""Deliveries to webhooks: an HTTP POST of the raw event, in the background.

"An HTTP POST with the raw event as its body, no envelope and no event id"; a 500 is not retried.
They are sent by a few tasks on the server's loop from a bounded queue, so that a slow receiver
holds up nobody. By default only loopback addresses are called; what is not sent is noted too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from pipedream_source.sandbox.protocol.clock import iso

LONGEST_LOG = 20_000
LONGEST_QUEUE = 1_000
SENDERS = 4
TIMEOUT_S = 5.0
_LONGEST_LINE = 65_536


class _Waiting(NamedTuple):
    entry: dict[str, Any]
    url: str
    event: bytes


class Deliveries:
    """The queue of deliveries, their senders and their log.

    Args:
        mode: Returns the switch: `loopback`, `anywhere` or `none`.
    """

    def __init__(self, mode: Callable[[], str]) -> None:
        self._mode = mode
        self._waiting: deque[_Waiting] = deque()
        self._senders: set[asyncio.Task[None]] = set()
        self.clear()

    def clear(self) -> None:
        """Forget the log, and drop what was not sent yet."""
        self._entries: deque[dict[str, Any]] = deque(maxlen=LONGEST_LOG)
        self._waiting.clear()
        self._written = 0

    def post(self, webhook: dict[str, Any], emitter_id: str, event: bytes, ms: int) -> None:
        """Deliver an event to a webhook, soon."""
        entry = self._note(emitter_id, webhook["id"], "queued", ms)
        entry["url"] = webhook["url"]
        if not may_call(webhook["url"], self._mode()):
            entry["outcome"] = "not allowed"
        elif len(self._waiting) >= LONGEST_QUEUE:
            entry["outcome"] = "dropped: the queue is full"
        else:
            self._waiting.append(_Waiting(entry, webhook["url"], event))
            self._work()

    def stopped(self, emitter_id: str, listener_id: str, why: str, ms: int) -> None:
        """Note a delivery between emitters that was stopped."""
        self._note(emitter_id, listener_id, f"stopped: {why}", ms)

    def _note(self, emitter_id: str, listener_id: str, outcome: str, ms: int) -> dict[str, Any]:
        self._written += 1
        entry = {"number": self._written, "emitter_id": emitter_id, "listener_id": listener_id}
        entry |= {"clock": iso(ms), "outcome": outcome, "status": None, "ms": None}
        self._entries.append(entry)
        return entry

    def as_dict(self) -> dict[str, Any]:
        """Return the log, oldest first, and how many older entries were dropped."""
        return {"data": list(self._entries), "dropped": self._written - len(self._entries)}

    def _work(self) -> None:
        if len(self._senders) < SENDERS:
            task = asyncio.get_running_loop().create_task(self._send_all())
            self._senders.add(task)
            task.add_done_callback(self._senders.discard)

    async def _send_all(self) -> None:
        while self._waiting:
            entry, url, event = self._waiting.popleft()
            began = time.perf_counter()
            try:
                entry["status"] = await asyncio.wait_for(_post(url, event), TIMEOUT_S)
                entry["outcome"] = "delivered" if entry["status"] < 300 else "refused"
            except (OSError, ValueError, EOFError, TimeoutError) as error:
                entry["outcome"] = f"failed: {type(error).__name__}"
            entry["ms"] = round((time.perf_counter() - began) * 1000, 3)

    async def stop(self) -> None:
        """Send nothing any more."""
        self._waiting.clear()
        for task in self._senders:
            task.cancel()
        await asyncio.gather(*self._senders, return_exceptions=True)


def may_call(url: str, mode: str) -> bool:
    """Tell whether the switch lets an address be called."""
    if mode != "loopback":
        return mode == "anywhere"
    return is_loopback(urlsplit(url).hostname or "")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or number alone."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


async def _post(url: str, event: bytes) -> int:
    """Send one event and return the receiver's status."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(
        parts.hostname, port, ssl=secure or None, limit=_LONGEST_LINE
    )
    try:
        writer.write(_head(parts, len(event)) + event)
        await writer.drain()
        line = (await reader.readline()).split(None, 2)
        if len(line) < 2 or not line[0].startswith(b"HTTP/"):
            raise EOFError
        return int(line[1])
    finally:
        writer.transport.abort()


def _head(parts: SplitResult, length: int) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: pipedream/1",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii", "replace")
