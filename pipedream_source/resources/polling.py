"""Poll many windows at once: threads, one shared brake, outcomes in the order they finish."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.paging import WindowWalk
from pipedream_source.api.protocol import date_ms
from pipedream_source.exceptions import ConfigurationError, GaveUp, PipedreamError

# Finished windows that wait for the writer may hold so much before new ones are started.
_MAX_WAITING_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """One (emitter, channel asked for): the unit that has a window and a cursor."""

    emitter_id: str
    channel: str

    @property
    def key(self) -> str:
        """Its key in the pipeline state."""
        return f"{self.emitter_id}/{self.channel}"

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.emitter_id} {self.channel}".rstrip()


@dataclass(slots=True)
class Poll:
    """What one walk of a stream's window came to.

    Attributes:
        walk: the rows that were read, all of them unless `error` is set.
        error: why the walk did not end; None when it did.
        skipped: the walk was never started.
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
    streams: Iterable[Stream],
    *,
    trusted: frozenset[str],
    max_workers: int,
) -> Iterator[Poll]:
    """Yield a poll for each stream as it finishes; one that fails stops no other.

    Args:
        client: shared by all threads.
        streams: what to poll.
        trusted: keys of streams whose short pages are known to be whole.
        max_workers: threads.
    """
    todo = iter(streams)
    running: set[Future[Poll]] = set()
    waiting: list[Poll] = []
    with ThreadPoolExecutor(max_workers, thread_name_prefix="pipedream-poll") as pool:
        try:
            while True:
                while len(running) < 2 * max_workers and _held(waiting) < _MAX_WAITING_BYTES:
                    stream = next(todo, None)
                    if stream is None:
                        break
                    running.add(pool.submit(_poll, client, stream, stream.key in trusted))
                if not running and not waiting:
                    return
                if not waiting:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    waiting.extend(future.result() for future in done)
                yield waiting.pop()
        finally:
            for future in running:
                future.cancel()


def _held(waiting: list[Poll]) -> int:
    return sum(poll.walk.nbytes for poll in waiting)


def _poll(client: PipedreamClient, stream: Stream, trusted: bool) -> Poll:
    walk = WindowWalk(stream.channel)
    poll = Poll(stream, walk)
    try:
        client.walk_window(walk, stream.emitter_id, stream.channel, trust_short_pages=trusted)
    except GaveUp as error:
        poll.error, poll.skipped = error, walk.first is None
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
