"""Poll many windows at once: threads, one shared brake, outcomes in the order they finish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.pages.walk import UNKNOWN, Known, WindowWalk
from pipedream_source.api.protocol import date_ms
from pipedream_source.core.polls.fitting import fitted_limits
from pipedream_source.core.streams.absence import Absence, unpack
from pipedream_source.core.streams.stream_state import StreamState
from pipedream_source.exceptions import ConfigurationError, Deferred, GaveUp, PipedreamError

# Finished windows that wait for the writer may hold so much before new ones are started.
_MAX_WAITING_BYTES = 64 * 1024 * 1024
_FIRST_THREADS = 4
_SLOW_S = 0.03
_FAST_S = 0.01
_SLOW_IN_A_ROW = 2


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
        took_s: how long it took.
    """

    stream: Stream
    walk: WindowWalk
    error: PipedreamError | None = None
    skipped: bool = False
    polled_at_ms: int = field(default=0)
    now_ms: int = field(default=0)
    took_s: float = 0.0

    @property
    def is_unsent(self) -> bool:
        """Whether it was put off before its next request, because of another stream's answer."""
        return isinstance(self.error, Deferred) and self.error.unsent


#: Polls one more stream; None when none is left.
Work = Callable[[], Poll | None]


def known_by(state: StreamState, now_ms: int) -> Known:
    """Return what a walk can use of a stream's state.

    Args:
        state: what the last poll left.
        now_ms: Unix ms.
    """
    return Known(
        state.short_page_ends,
        state.shape.digest if state.shape else "",
        state.last_loaded_id,
        state.late_from_ms,
        fitted_limits(state, now_ms),
        state.limits_to_newest,
    )


def rests(packed: Any, now_ms: int) -> bool:
    """Tell whether a stream has ended and need not be asked now.

    Args:
        packed: its state as it is stored.
        now_ms: Unix ms.
    """
    absence = _absence_of(packed)
    return absence is not None and not absence.is_forgotten and absence.rests(now_ms)


def remembered_streams(states: Mapping[str, Any]) -> list[Stream]:
    """Return the streams of stored states that are polled on, whether or not a list names them.

    Left out are those that the user asked to forget, and those that only the answer for another
    channel shows: no one knows whether the API takes their name.
    """
    return [Stream.from_key(key) for key, packed in states.items() if _is_polled_on(packed)]


def _is_polled_on(packed: Any) -> bool:
    absence = _absence_of(packed)
    is_beside = isinstance(packed, dict) and packed.get("b")
    return not (is_beside or (absence and absence.is_forgotten))


def _absence_of(packed: Any) -> Absence | None:
    text = packed.get("x") if isinstance(packed, dict) else None
    try:
        return unpack(text) if isinstance(text, str) else None
    except ValueError:
        return None  # the stream is read afresh


def in_turn(states: Mapping[Stream, StreamState]) -> list[Stream]:
    """Return streams in the order in which to poll them, in case not all can be.

    Those that were not polled for longest come first: an API that asks to wait in the midst of each
    run leaves out others each time. Streams that keep failing come last.
    """
    turns = [
        (state.failures if keeps_failing(state) else 0, state.polled_at_ms or 0, stream)
        for stream, state in states.items()
    ]
    return [stream for *_, stream in sorted(turns)]


def keeps_failing(state: StreamState) -> bool:
    """Tell whether a stream may fail by itself: once can be any stream's bad luck."""
    return state.failures > 1


def poll_all(
    client: PipedreamClient,
    streams: Collection[Stream],
    *,
    known: Mapping[Stream, Known],
    max_workers: int,
    enough: Event | None = None,
) -> Iterator[Poll]:
    """Yield a poll for each stream as it finishes; one that fails stops no other.

    Args:
        client: shared by all threads.
        streams: what to poll.
        known: what earlier walks of these streams taught.
        max_workers: threads.
        enough: once it is set no other poll begins; those at work are yielded all the same.
    """
    todo: SimpleQueue[Stream] = SimpleQueue()
    for stream in streams:
        todo.put(stream)
    work = partial(_poll_next, client, todo, known, enough or Event())
    # Threads cost more than they bring unless the network makes them wait.
    yield from _poll_while_fast(work)
    yield from _poll_by_threads(work, todo.qsize(), max_workers)


def _poll_while_fast(work: Work) -> Iterator[Poll]:
    """Poll without threads until an answer has to be waited for, or nothing is left."""
    slow = 0
    # One slow answer may be a hiccup of this machine; two in a row are the network.
    while slow < _SLOW_IN_A_ROW:
        if (poll := work()) is None:
            return
        slow = slow + 1 if poll.took_s > _FAST_S else 0
        yield poll


def _poll_by_threads(work: Work, count: int, max_workers: int) -> Iterator[Poll]:
    """Yield what is left to poll; each poll that had to wait brings another thread."""
    desk = _Desk()
    crew = _Crew(partial(_fill, desk, work))
    most = min(max_workers, count)
    try:
        crew.grow_to(min(_FIRST_THREADS, most))
        left = count
        while left:
            poll = desk.take(_SLOW_S)
            if poll is None and not crew.is_working:
                # Told that it is enough; what was left on the desk meanwhile still counts.
                while (poll := desk.take(0)) is not None:
                    yield poll
                return
            if poll is None or poll.took_s > _SLOW_S:
                crew.grow_to(min(len(crew.threads) + 1, most))
            if poll is not None:
                left -= 1
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

    @property
    def is_working(self) -> bool:
        """Whether some thread may still bring something."""
        return any(thread.is_alive() for thread in self.threads)

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


def _fill(desk: _Desk, work: Work) -> None:
    """Poll streams until none is left; an error that is none of ours goes to the taker."""
    while desk.is_open():
        try:
            poll = work()
        except BaseException as error:
            desk.leave(error)
            continue
        if poll is None:
            return
        desk.leave(poll)


def _poll_next(
    client: PipedreamClient,
    todo: SimpleQueue[Stream],
    known: Mapping[Stream, Known],
    enough: Event,
) -> Poll | None:
    """Poll the next stream; None when none is left."""
    if enough.is_set():
        return None
    try:
        stream = todo.get_nowait()
    except Empty:
        return None
    return _poll(client, stream, known.get(stream, UNKNOWN))


def _poll(client: PipedreamClient, stream: Stream, known: Known) -> Poll:
    walk = WindowWalk(stream.channel)
    poll = Poll(stream, walk)
    started = time.monotonic()
    try:
        client.walk_window(walk, stream.emitter_id, stream.channel, known)
    except GaveUp as error:
        poll.error, poll.skipped = _cut_short(error) if walk.first else error, True
    except PipedreamError as error:
        poll.error = error
        if isinstance(error, ConfigurationError):
            # The key or TLS failed: no other request can do better.
            client.limiter.stop()
    poll.took_s = time.monotonic() - started
    ours = int(time.time() * 1000)
    theirs = date_ms(walk.first.headers) if walk.first else None
    poll.polled_at_ms = theirs if theirs is not None else ours
    poll.now_ms = max(ours, poll.polled_at_ms)
    return poll


def _cut_short(error: GaveUp) -> GaveUp:
    """Say of a walk that had begun why it did not end."""
    return GaveUp(str(error).replace("not started", "cut short", 1))
