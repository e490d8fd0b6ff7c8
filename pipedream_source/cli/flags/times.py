"""Times as people give them, a moment or a period back from now; and as DuckDB gives them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import typer

from pipedream_source.core.streams.event_id import time_of as time_of_ms
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError

_PERIOD = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])").fullmatch
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
# No sleep lasts longer, nor does anybody wait so long.
_LONGEST_S = 10 * 365 * 86_400
_BEGIN = datetime.min.replace(tzinfo=UTC)
_END = time_of_ms(10**15)


def time_of(text: str | None, flag: str = "--since") -> datetime | None:
    """Read ISO 8601 or a period such as 7d as a time in UTC; None stays None.

    Args:
        text: what was given.
        flag: with which flag.

    Raises:
        ConfigurationError: it is neither.
    """
    if text is None:
        return None
    from pipedream_source.resources.session.arguments import parse_since

    try:
        found = parse_since(text) or 0
    except ConfigurationError:
        raise ConfigurationError(
            f"{flag} takes a period such as 7d, 12h or 30m, or a time such as "
            f"2026-11-01T00:00:00Z, in the years 1 to 9999, not {printable(text)!r}"
        ) from None
    return time_of_ms(found)


def within_calendar(value: datetime | str | None) -> datetime | None:
    """Return a time in UTC that DuckDB gave: ids reach to the year 33658, Python to 9999.

    Args:
        value: a text where Python has no such time; its calendar's end or beginning is returned,
            as `core.streams.event_id` does.
    """
    if isinstance(value, str):
        return _BEGIN if "(BC)" in value or value.startswith("-") else _END
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def period_s(text: str) -> float:
    """Read a period such as `15m` as seconds; a usage error for anything else."""
    match = _PERIOD(text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds < _LONGEST_S:
        raise typer.BadParameter("a period looks like 30s, 15m, 6h or 1d")
    return seconds
