"""The sandbox as a running server: in a thread for tests, in the foreground for people."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import sys
import threading
from datetime import datetime
from types import EllipsisType, FrameType, TracebackType
from typing import Any, Self

import uvicorn

from pipedream_source.sandbox.http.app import OPENAPI_PATH, Application
from pipedream_source.sandbox.http.routes import API_PREFIX, CONTROL_PREFIX
from pipedream_source.sandbox.http.wire import TrackedProtocol
from pipedream_source.sandbox.protocol.clock import DEFAULT_START
from pipedream_source.sandbox.world.site import Site


class ControlError(RuntimeError):
    """The control plane refused a call; the text says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class _Server(uvicorn.Server):
    """Says when it is ready, and hangs up on everyone when it stops."""

    def __init__(self, app: Application) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=TrackedProtocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                interface="asgi3",
                proxy_headers=False,
                date_header=False,
                server_header=False,
                access_log=False,
                log_config=None,
                # The service keeps connections longer than uvicorn's 5 s, after which a client that
                # keeps them too may write into one that is being closed.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=5,
            )
        )
        self.ready = threading.Event()
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def on_tick(self, counter: int) -> bool:
        """Let a running clock emit and deliver though nobody calls."""
        if self._app.site.clock.speed:
            self._app.site.now_ms()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for wire in list(self._app.wires.values()):
            wire.hang_up()
        await self._app.site.deliveries.stop()
        await super().shutdown(sockets)


class Sandbox:
    """A stand-in of the Pipedream REST API on a real port, as a context manager.

    It is ready to be called when entered. Its own methods go over HTTP too, through the control
    plane, and raise `ControlError` when that refuses.

    Args:
        seed: Everything in the workspace follows from it.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        speed: Sandbox seconds for each real second; 0 keeps the clock still.
        start: What the clock shows at first.

    Attributes:
        url: The API's base URL.
        api_key: The key for it.
        client_id: The id of an OAuth client of the main workspace.
        client_secret: Its secret.
        control_url: The control plane's base URL.
        control_key: The key for that.
        openapi_url: Where the description is.
        org_id: The user's main workspace.
        host: The address it listens on.
        port: The port it listens on, when entered.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 0.0,
        start: datetime = DEFAULT_START,
    ) -> None:
        site = Site(seed=seed, speed=speed, start=start)
        self.api_key = site.api_key
        self.control_key = site.control_key
        self.client_id = site.client_id
        self.client_secret = site.client_secret
        self.org_id: str = site.workspace.orgs[0]["id"]
        self.host = host
        self.port = port
        self._server = _Server(Application(site))

    def __enter__(self) -> Self:
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        base = f"http://[{self.host}]" if ":" in self.host else f"http://{self.host}"
        base += f":{self.port}"
        self.url = base + API_PREFIX
        self.control_url = base + CONTROL_PREFIX
        self.openapi_url = base + OPENAPI_PATH
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        self._server.ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()

    def emit(
        self,
        emitter_id: str,
        channel: str = "",
        event: Any | EllipsisType = ...,
        count: int = 1,
        **settings: Any,
    ) -> list[str]:
        """Emit events and return their ids.

        Args:
            emitter_id: The source or workflow that emits.
            channel: The channel it emits on.
            event: Any JSON value; left out, one of the emitter's own kind.
            count: How many events.
            **settings: `event_text`, `row_text`, `id`, `metadata`, `indexed_at_ms`, `spread_s`,
                `delay_s`, `per_hour`, `pattern`.
        """
        body = {"emitter_id": emitter_id, "channel": channel, "count": count, **settings}
        if event is not ...:
            body["event"] = event
        ids: list[str] = self.control("POST", "emit", body)["ids"]
        return ids

    def advance(self, seconds: float) -> str:
        """Move the clock forward and return the new time."""
        now: str = self.control("POST", "clock", {"advance_s": seconds})["now"]
        return now

    def run_clock(self, speed: float) -> str:
        """Let the clock run: sandbox seconds for each real one, 0 stops it; return the time."""
        now: str = self.control("POST", "clock", {"speed": speed})["now"]
        return now

    def dump(self) -> dict[str, Any]:
        """Return the whole state, for `restore` of this or another sandbox."""
        return self.control("GET", "dump")

    def restore(self, state: dict[str, Any]) -> None:
        """Take a dumped state back; the keys and the address stay this sandbox's."""
        self.org_id = self.control("POST", "restore", state)["org_id"]

    def deliveries(self) -> list[dict[str, Any]]:
        """Return what became of the deliveries so far, oldest first."""
        entries: list[dict[str, Any]] = self.control("GET", "deliveries")["data"]
        return entries

    def reset(self, seed: int | None = None) -> None:
        """Put the seeded state back; the keys and the address stay."""
        self.org_id = self.control("POST", "reset", {"seed": seed})["org_id"]

    def switch(self, **switches: str) -> dict[str, str]:
        """Set some switches and return all."""
        settings: dict[str, str] = self.control("POST", "switches", switches)["switches"]
        return settings

    def fault(self, **fault: Any) -> None:
        """Add a fault."""
        self.control("POST", "faults", fault)

    def clear_faults(self) -> None:
        """Drop all faults."""
        self.control("DELETE", "faults")

    def delete(self, emitter_id: str, channel: str = "", **ends: str) -> int:
        """Purge events from `start_id` to `end_id` and return how many there were."""
        body = {"emitter_id": emitter_id, "channel": channel, **ends}
        deleted: int = self.control("POST", "delete", body)["deleted"]
        return deleted

    def add_emitters(self, count: int, **settings: Any) -> list[str]:
        """Create emitters and return their ids."""
        ids: list[str] = self.control("POST", "emitters", {"count": count, **settings})["ids"]
        return ids

    def journal(self) -> list[dict[str, Any]]:
        """Return the API calls so far, oldest first."""
        entries: list[dict[str, Any]] = self.control("GET", "journal")["data"]
        return entries

    def state(self) -> dict[str, Any]:
        """Return the truth about the workspace."""
        return self.control("GET", "state")

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the control plane and return its answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=600)
        try:
            headers = {"Authorization": f"Bearer {self.control_key}"}
            text = None if body is None else json.dumps(body).encode()
            connection.request(method, f"{CONTROL_PREFIX}/{path}", text, headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError(response.status, answer["error"])
        return answer


def _listen(host: str, port: int) -> socket.socket:
    """Bind a socket; asyncio turns Nagle's delay off only where the protocol is named."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 7,
    speed: float = 0.0,
    json_output: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then return; to be called in the main thread.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        seed: The workspace's seed.
        speed: Sandbox seconds for each real second.
        json_output: Whether to write one JSON line first instead of text for people.
    """
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        with Sandbox(seed=seed, host=host, port=port, speed=speed) as sandbox:
            sys.stdout.write(_as_json(sandbox) if json_output else _as_text(sandbox))
            sys.stdout.flush()
            stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_json(sandbox: Sandbox) -> str:
    names = (
        *("url", "api_key", "control_url", "control_key", "openapi_url", "org_id"),
        *("client_id", "client_secret"),
    )
    return json.dumps({name: getattr(sandbox, name) for name in names}) + "\n"


def _as_text(sandbox: Sandbox) -> str:
    return f"""\
The Pipedream sandbox is listening; Ctrl-C stops it. Load from it in another terminal:

  export PIPEDREAM_API_KEY={sandbox.api_key}
  export PIPEDREAM_BASE_URL={sandbox.url}
  pipedream-source load

Control plane: {sandbox.control_url} (key {sandbox.control_key})
Description:   {sandbox.openapi_url}
"""
