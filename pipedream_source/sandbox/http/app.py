"""The ASGI application: keys, faults, the endpoint, the journal, then the wire."""

from __future__ import annotations

import time

from starlette.types import Receive, Scope, Send

from pipedream_source.sandbox.http.openapi import description
from pipedream_source.sandbox.http.quick import written
from pipedream_source.sandbox.http.routes import API, API_PREFIX, CONTROL, CONTROL_PREFIX
from pipedream_source.sandbox.http.targets import read_target
from pipedream_source.sandbox.http.wire import Wire, read_body
from pipedream_source.sandbox.protocol.clock import http_date, iso
from pipedream_source.sandbox.protocol.errors import (
    ApiError,
    Forbidden,
    InvalidParameter,
    RouteNotFound,
    TooLarge,
    Unauthorized,
)
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.faults import Fault
from pipedream_source.sandbox.world.deliveries import is_loopback
from pipedream_source.sandbox.world.site import Site

OPENAPI_PATH = "/openapi.json"
LARGEST_BODY = 8 * 1024 * 1024


class Application:
    """Serves one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.wires: dict[tuple[str, int], Wire] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = await _call(scope, receive)
        if not _is_under(call.path, API_PREFIX):
            await self._send(self.beside(call, scope), send)
            return
        began = time.perf_counter()
        fault = self.site.faults.take(call)
        if fault is None:
            reply = self._api(call)
            await self._send(reply, send)
            status = reply.status
        else:
            status = await self._misbehave(fault, call, scope, receive, send)
        self._write_down(call, status, time.perf_counter() - began)

    def quick_answer(self, call: Call) -> bytes | None:
        """Answer a plain GET of the API, or return None when it needs the long way."""
        if not _is_under(call.path, API_PREFIX) or self.site.faults:
            return None
        began = time.perf_counter()
        reply = self._api(call)
        answer = written(reply, http_date(self.site.clock.now_ms()))
        self._write_down(call, reply.status, time.perf_counter() - began)
        return answer

    def _api(self, call: Call) -> Reply:
        site = self.site
        now_ms = site.now_ms()
        try:
            if call.bearer != site.api_key:
                call.org_id = site.tokens.org_of(call.bearer, now_ms)
                if call.org_id is None and not _is_keyless(call):
                    return self._unauthorized(call)
            if len(call.body) > LARGEST_BODY:
                raise TooLarge
            return API.answer(site, call)
        except ApiError as error:
            return Reply.error(self._status_of(error), str(error))

    def _status_of(self, error: ApiError) -> int:
        """Return the status of a refusal, where the documentation leaves it open by a switch."""
        if isinstance(error, InvalidParameter):
            return int(self.site.switches.invalid_status)
        if isinstance(error, Forbidden):
            return int(self.site.switches.oauth_refusal)
        return error.status

    def _unauthorized(self, call: Call) -> Reply:
        style = self.site.switches.unauthorized_body
        if style == "json":
            return Reply.error(401, str(Unauthorized()))
        if style == "echo":
            return Reply.error(401, f"invalid API key: {call.bearer}")
        texts = {"text": ("Unauthorized", "text/plain"), "empty": ("", "text/plain")}
        page = "<!DOCTYPE html><html><body><h1>401</h1></body></html>"
        body, content_type = texts.get(style, (page, "text/html"))
        return Reply(401, body.encode(), {"content-type": content_type})

    def beside(self, call: Call, scope: Scope) -> Reply:
        """Answer what is not the API: the control plane, on loopback only, and the description."""
        if call.method in ("GET", "HEAD") and call.path == OPENAPI_PATH:
            host, port = scope["server"]
            return Reply.json(description(f"http://{host}:{port}"))
        try:
            if _is_under(call.path, CONTROL_PREFIX) and not is_loopback(scope["client"][0]):
                raise RouteNotFound
            return self._control(call)
        except ApiError as error:
            return Reply.error(error.status, str(error))

    def _control(self, call: Call) -> Reply:
        keys = (call.bearer, call.headers.get("x-sandbox-key"))
        if _is_under(call.path, CONTROL_PREFIX) and self.site.control_key not in keys:
            raise Unauthorized
        return CONTROL.answer(self.site, call)

    async def _misbehave(
        self, fault: Fault, call: Call, scope: Scope, receive: Receive, send: Send
    ) -> int:
        """Answer as the fault says and return the status, 0 when none was sent."""
        wire = self.wires[tuple(scope["client"])]
        await wire.pause(fault.delay_s)
        if fault.resets_before:
            await wire.reset(receive)
            return 0
        reply = fault.changed(fault.reply() if fault.stands_in else self._api(call))
        if fault.reset == "after":
            await wire.reset(receive)
            return 0
        start = self._start(reply)
        await wire.send_badly(fault, start, reply.body, receive=receive, send=send)
        return reply.status

    async def _send(self, reply: Reply, send: Send) -> None:
        await send(self._start(reply))
        await send({"type": "http.response.body", "body": reply.body})

    def _start(self, reply: Reply) -> dict[str, object]:
        now = http_date(self.site.clock.now_ms())
        own = {"date": now, "content-length": str(len(reply.body))}
        headers = [(k.encode(), v.encode()) for k, v in {**own, **reply.headers}.items()]
        return {"type": "http.response.start", "status": reply.status, "headers": headers}

    def _write_down(self, call: Call, status: int, seconds: float) -> None:
        self.site.journal.add(
            method=call.method,
            path=call.path,
            query=call.query,
            status=status,
            ms=seconds * 1000,
            clock=iso(self.site.clock.now_ms()),
        )


async def _call(scope: Scope, receive: Receive) -> Call:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    path, query = read_target(
        scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    )
    has_body = "content-length" in headers or "transfer-encoding" in headers
    return Call(
        method=scope["method"],
        path=path,
        query=query,
        headers=headers,
        body=await read_body(receive) if has_body else b"",
    )


def _is_keyless(call: Call) -> bool:
    try:
        return API.find(call).keyless
    except RouteNotFound:
        return False


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
