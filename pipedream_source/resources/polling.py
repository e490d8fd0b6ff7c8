"""Poll many windows at once: threads, one shared brake, outcomes in the order they finish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.paging import UNKNOWN, Known, WindowWalk
from pipedream_source.api.protocol import date_ms
from pipedream_source.exceptions import ConfigurationError, GaveUp, PipedreamError

# Finished windows that wait for the writer may hold so much before new ones are started.
_MAX_WAITING_BYTES = 64 * 1024 * 1024
_FIRST_THREADS = 4
_SLOW_S = 0.03


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """One (emitter, channel asked for): the unit that has a window and a cursor."""

    emitter_id: str
    channel: str

    @property
    def key(self) -> str:
        """Its key in the pipeline state."""
        return f"{self.emitter_id}/{self.channel}"

    @classmethod
    def from_key(cls, key: str) -> Stream:
        """Return the stream of a key; emitter ids hold no slash."""
        emitter_id, _, channel = key.partition("/")
        return cls(emitter_id, channel)

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.emitter_id} {self.channel}".rstrip()


@dataclass(slots=True)
class Poll:
    """What one walk of a stream's window came to.

    Attributes:
        walk: the rows that were read, all of them unless `error` is set.
        error: why the walk did not end; None when it did.
        skipped: the run ended before the walk did, which is no failure of the stream's.
        polled_at_ms, now_ms: the API's clock (else ours), and the later of both; Unix ms.
    """

    stream: Stream
    walk: WindowWalk
    error: PipedreamError | None = None
    skipped: bool = False
    polled_at_ms: int = field(default=0)
    now_ms: int = field(default=0)


def poll_all(
    client: PipedreamClient,
    streams: Collection[Stream],
    *,
    known: Mapping[Stream, Known],
    max_workers: int,
) -> Iterator[Poll]:
    """Yield a poll for each stream as it finishes; one that fails stops no other.

    Args:
        client: shared by all threads.
        streams: what to poll.
        known: what earlier walks of these streams taught.
        max_workers: threads.
    """
    todo: SimpleQueue[Stream] = SimpleQueue()
    for stream in streams:
        todo.put(stream)
    crew = _Crew(partial(_work, client, todo, desk := _Desk(), known))
    try:
        crew.grow_to(min(_FIRST_THREADS, max_workers, len(streams)))
        for _ in streams:
            # More threads cost more than they bring unless the network makes all of them wait.
            while (poll := desk.take(_SLOW_S)) is None:
                crew.grow_to(min(len(crew.threads) + 1, max_workers, len(streams)))
            yield poll
    finally:
        desk.close()
        crew.join()


class _Crew:
    """Threads that all do the same work."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.threads: list[threading.Thread] = []

    def grow_to(self, count: int) -> None:
        while len(self.threads) < count:
            thread = threading.Thread(target=self._work, name="pipedream-poll", daemon=True)
            self.threads.append(thread)
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join()


class _Desk:
    """Where threads leave finished polls; it takes no more while too many bytes wait on it.

    A plain queue: waiting on a set of futures costs more than a poll when there are many.
    """

    def __init__(self) -> None:
        self._finished: SimpleQueue[Poll | BaseException] = SimpleQueue()
        self._room = threading.Condition()
        self._waiting_bytes = 0
        self._closed = False

    def is_open(self) -> bool:
        """Wait for room; False when nobody takes polls any more."""
        with self._room:
            self._room.wait_for(lambda: self._closed or self._waiting_bytes < _MAX_WAITING_BYTES)
            return not self._closed

    def leave(self, finished: Poll | BaseException) -> None:
        if isinstance(finished, Poll):
            with self._room:
                self._waiting_bytes += finished.walk.nbytes
        self._finished.put(finished)

    def take(self, wait_s: float) -> Poll | None:
        """Take a finished poll; None when none was left in time."""
        try:
            finished = self._finished.get(timeout=wait_s)
        except Empty:
            return None
        if isinstance(finished, BaseException):
            raise finished
        with self._room:
            self._waiting_bytes -= finished.walk.nbytes
            self._room.notify_all()
        return finished

    def close(self) -> None:
        with self._room:
            self._closed = True
            self._room.notify_all()


def _work(
    client: PipedreamClient, todo: SimpleQueue[Stream], desk: _Desk, known: Mapping[Stream, Known]
) -> None:
    """Poll streams until none is left; an error that is none of ours goes to the taker."""
    while desk.is_open():
        try:
            stream = todo.get_nowait()
        except Empty:
            return
        try:
            desk.leave(_poll(client, stream, known.get(stream, UNKNOWN)))
        except BaseException as error:
            desk.leave(error)


def _poll(client: PipedreamClient, stream: Stream, known: Known) -> Poll:
    walk = WindowWalk(stream.channel)
    poll = Poll(stream, walk)
    try:
        client.walk_window(walk, stream.emitter_id, stream.channel, known)
    except GaveUp as error:
        poll.error, poll.skipped = _cut_short(error) if walk.first else error, True
    except PipedreamError as error:
        poll.error = error
        if isinstance(error, ConfigurationError):
            # The key or TLS failed: no other request can do better.
            client.limiter.stop()
    ours = int(time.time() * 1000)
    theirs = date_ms(walk.first.headers) if walk.first else None
    poll.polled_at_ms = theirs if theirs is not None else ours
    poll.now_ms = max(ours, poll.polled_at_ms)
    return poll


def _cut_short(error: GaveUp) -> GaveUp:
    """Say of a walk that had begun why it did not end."""
    return GaveUp(str(error).replace("not started", "cut short", 1))
