"""Ask for single objects, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipedream_source.exceptions import PipedreamError
from pipedream_source.resources.session.session import Session

_MAX_THREADS = 8

#: Asks for the object of an id.
Ask = Callable[[str], Mapping[str, Any]]


def look_up(
    session: Session, ask: Ask, ids: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any] | PipedreamError]]:
    """Yield each id with its object, or with the error that came instead, in the order of ids.

    Args:
        session: says how many threads may ask.
        ask: a method of the client.
        ids: what to ask for.
    """
    threads = min(_MAX_THREADS, session.options.max_workers, len(ids))
    if threads < 2:
        yield from ((key, _answer(ask, key)) for key in ids)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from zip(ids, pool.map(lambda key: _answer(ask, key), ids), strict=True)


def _answer(ask: Ask, key: str) -> Mapping[str, Any] | PipedreamError:
    try:
        return ask(key)
    except PipedreamError as error:
        return error
