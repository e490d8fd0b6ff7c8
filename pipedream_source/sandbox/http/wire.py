"""What happens below HTTP: connections that break, stall or dribble when a fault says so."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import h11
from starlette.types import Message, Receive, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipedream_source.sandbox.http.quick import read_plain
from pipedream_source.sandbox.protocol.faults import Fault

_AT_REST = {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire:
    """One client's connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._closing = asyncio.Event()

    def hang_up(self) -> None:
        """Drop the connection and wake whoever pauses on it."""
        self._closing.set()
        self._transport.abort()

    def closed(self) -> None:
        """Wake whoever pauses on a connection that the client closed."""
        self._closing.set()

    async def pause(self, seconds: float) -> None:
        """Wait in real time, no longer than the connection lasts."""
        if seconds > 0 and not self._closing.is_set():
            try:
                await asyncio.wait_for(self._closing.wait(), seconds)
            except TimeoutError:
                return

    async def reset(self, receive: Receive) -> None:
        """Close with a TCP reset and wait until the server has noticed."""
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()
        await _disconnected(receive)

    async def close(self, receive: Receive) -> None:
        """Close after what was written, and wait until the server has noticed."""
        self._transport.close()
        await _disconnected(receive)

    async def send_badly(
        self, fault: Fault, start: Message, body: bytes, *, receive: Receive, send: Send
    ) -> None:
        """Send a reply as far and as slowly as the fault allows."""
        cut = len(body) // 2 if fault.reset == "body" else fault.truncate
        await send(start)
        for piece in _pieces(body[:cut], fault.dribble_s):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await self.pause(fault.dribble_s)
        if fault.reset == "body":
            await self.reset(receive)
        elif cut is not None and cut < len(body):
            await self.close(receive)
        else:
            await send({"type": "http.response.body", "body": b""})


def _pieces(body: bytes, dribble_s: float) -> list[bytes]:
    return [body[i : i + 1] for i in range(len(body))] if dribble_s > 0 else [body]


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Receive) -> bytes:
    """Read a request's whole body."""
    pieces = []
    more = True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


class TrackedProtocol(H11Protocol):
    """uvicorn's protocol, telling the application which connections there are."""

    @property
    def _app(self) -> Any:
        return self.config.app

    @property
    def _wires(self) -> dict[Any, Wire]:
        wires: dict[Any, Wire] = self._app.wires
        return wires

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection."""
        super().connection_made(transport)
        self._wires[self.client] = Wire(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wires.pop(self.client).closed()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer a plain GET at once; leave everything else to the parser."""
        if self.conn.states == _AT_REST and not self.flow.write_paused:
            call = None if self.conn.trailing_data[0] else read_plain(data)
            answer = None if call is None else self._app.quick_answer(call)
            if answer is not None:
                self._unset_keepalive_if_required()
                self.transport.write(answer)
                return
        super().data_received(data)
