"""Ctrl-C that loses nothing: the first signal ends polling, the second ends the process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Remembers the first signal; `number` is 0 until one came."""

    def __init__(self) -> None:
        """No signal came yet."""
        self.number = 0


@contextmanager
def caught_signals(stop: Callable[[], None]) -> Iterator[Interrupt]:
    """Turn the first SIGINT or SIGTERM into a call of `stop` while the block runs.

    An exception raised inside dlt's extract would discard all that was yielded. A second signal
    has its usual effect. Outside the main thread signals are left alone.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def receive(number: int, _frame: FrameType | None) -> None:
        interrupt.number = number
        for caught in _CAUGHT:
            signal.signal(caught, previous[caught])
        stop()

    previous = {number: signal.signal(number, receive) for number in _CAUGHT}
    try:
        yield interrupt
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
