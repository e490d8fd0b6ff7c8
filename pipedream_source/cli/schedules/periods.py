"""How a period is written for schedulers that know the clock, and not the time since the last run.

Cron's `*/7` runs at minutes 0, 7 … 56 and again four minutes later. Here every step is as long as
was asked for, or the period is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipedream_source.exceptions import ConfigurationError

_DAY = 24 * 60
_EVEN = [minutes for minutes in range(1, _DAY + 1) if _DAY % minutes == 0]


def written(every_s: float) -> str:
    """Write a period as a person would ask for it, such as `90m`."""
    for size, unit in ((3_600, "h"), (60, "m")):
        if every_s % size == 0:
            return f"{every_s // size:.0f}{unit}"
    return f"{plain(every_s)}s"


def plain(number: float) -> str:
    """Write a number to the thousandth, without an exponent, which not all schedulers take."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


def cron_expressions(every_s: float, scheduler: str, *, first: int = 0) -> list[str]:
    """Return the expressions, each of five fields, that together run at even steps all day.

    Args:
        every_s: seconds between two runs.
        scheduler: its name, for messages.
        first: minutes after midnight of the day's first run.

    Raises:
        ConfigurationError: no expressions can say this; names periods that can be said.
    """
    step = _whole_minutes(every_s, scheduler)
    hours: dict[tuple[int, ...], list[int]] = {}
    for hour in range(24):
        minutes = [m for m in range(60) if (hour * 60 + m - first) % step == 0]
        if minutes:
            hours.setdefault(tuple(minutes), []).append(hour)
    return [f"{_field(ms, 60)} {_field(hs, 24)} * * *" for ms, hs in hours.items()]


def at_least(every_s: float, least_s: float, scheduler: str) -> None:
    """Refuse a period that is shorter than a scheduler can keep.

    Raises:
        ConfigurationError: says which scheduler can.
    """
    if every_s < least_s:
        can = "systemd or launchd" if least_s > 10 else "systemd"
        raise ConfigurationError(
            f"{scheduler} runs nothing more often than every {written(least_s)}, and --every is "
            f"{written(every_s)}: take {written(least_s)} or longer, or --as {can}"
        )


def _whole_minutes(every_s: float, scheduler: str) -> int:
    at_least(every_s, 60, scheduler)
    minutes = every_s / 60
    if minutes in _EVEN:
        return int(minutes)
    shorter = max(even for even in _EVEN if even < minutes)
    longer = [even for even in _EVEN if even > minutes][:1]
    named = " or ".join(written(even * 60) for even in (shorter, *longer))
    raise ConfigurationError(
        f"{scheduler} cannot run every {written(every_s)} at even steps, as a day is no multiple "
        f"of that: take --every {named}, or --as systemd, which can"
    )


def _field(values: Sequence[int], size: int) -> str:
    """Write some of the values of a field as briefly as cron allows."""
    if len(values) == size:
        return "*"
    steps = {after - before for before, after in pairwise(values)}
    if len(steps) != 1 or len(values) < 3:
        return ",".join(map(str, values))
    step = steps.pop()
    is_open = values[-1] + step >= size
    if values[0] == 0 and is_open:
        return f"*/{step}"
    return f"{values[0]}-{size - 1 if is_open else values[-1]}/{step}"
