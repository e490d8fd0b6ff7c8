"""Connections that end at a total deadline, however slowly the other side dribbles.

A timeout of `requests` is per read: a server that sends one byte every half second, in its
headers or its body, holds a thread for ever. These connections give each read only the time
that is left of the whole request.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Deadline(threading.local):
    at: float = float("inf")


_deadline = _Deadline()


def start_deadline(seconds: float) -> None:
    """Begin a request in this thread that has to end within some seconds."""
    _deadline.at = time.monotonic() + seconds


def seconds_left() -> float:
    """Return the seconds that this thread's request still has; 0 when it has none."""
    return max(_deadline.at - time.monotonic(), 0.0)


class _DeadlineIO(io.RawIOBase):
    """A socket's reading end that waits no longer than the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = seconds_left()
        if left <= 0:
            raise TimeoutError("the request's deadline passed")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_DeadlineIO(raw, sock))


class _Connection(HTTPConnection):
    response_class = _DeadlineResponse


class _SecureConnection(HTTPSConnection):
    response_class = _DeadlineResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class DeadlineAdapter(HTTPAdapter):
    """An adapter of `requests` whose connections obey `start_deadline`, also through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool manager with our connection classes."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def pool_for(self, url: str, verify: str | bool, proxies: dict[str, str]) -> HTTPConnectionPool:
        """Return the pool of a URL's host, set up for its certificates and proxy.

        Requests go straight to the pool: what `requests` does around each of them costs as much
        again as the request itself.
        """
        request = requests.Request("GET", url).prepare()
        pool: Any = self.get_connection_with_tls_context(request, verify, proxies=proxies)
        self.cert_verify(pool, url, verify, None)  # type: ignore[no-untyped-call]
        return cast("HTTPConnectionPool", pool)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Return a proxy's pool manager with our connection classes."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
