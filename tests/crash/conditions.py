"""What a child does to itself before it runs the command: wrong clocks, small disks, no rights.

Only the environment switches them on: `CLOCK_OFFSET_S` (and `CLOCK_JUMPS_AT_POLL`, for a clock that
jumps during the run), `FILE_LIMIT` in bytes, `AS_USER` by number.
"""

import datetime as calendar
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from dlt.common import time as dlt_time
from dlt.common.storages import load_package

from pipedream_source.resources.polls import polling


def apply(environment: Mapping[str, str]) -> None:
    if limit := environment.get("FILE_LIMIT"):
        # Without the signal a write beyond the limit fails as on a disk that is full.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    if user := environment.get("AS_USER"):
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    if offset := environment.get("CLOCK_OFFSET_S"):
        _set_clock(float(offset), int(environment.get("CLOCK_JUMPS_AT_POLL", "0")))


def _set_clock(offset: float, at_poll: int) -> None:
    """Shift this process's clock, from the n-th poll on if `at_poll` is given."""
    real, original, polls = time.time, polling._poll, 0

    def shifted() -> float:
        return real() + (offset if polls >= at_poll else 0.0)

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal polls
        polls += 1
        return original(*args, **kwargs)

    polling._poll = counted
    time.time = shifted
    for module in (dlt_time, load_package):
        vars(module)["precise_time"] = shifted
    if not at_poll:
        # dlt's own clock never goes back within a process: this one has just been started.
        dlt_time.increasing_precise_time._last = 0.0
    _shift_datetime(shifted)


def _shift_datetime(now_s: Callable[[], float]) -> None:
    true = calendar.datetime

    class Kind(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, true)

    class Shifted(true, metaclass=Kind):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: calendar.tzinfo | None = None) -> Any:
            return true.fromtimestamp(now_s(), tz)

    for name, module in list(sys.modules.items()):
        if name.startswith("pipedream_source.") and getattr(module, "datetime", None) is true:
            module.datetime = Shifted  # type: ignore[attr-defined]
