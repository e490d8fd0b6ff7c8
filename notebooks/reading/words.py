"""Numbers and times in words."""

from __future__ import annotations

from datetime import datetime

_LONGEST = 400
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 event` or `2,079 events`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def moment(value: datetime | None) -> str:
    """Return a time to the minute; `never` for none."""
    return f"{value:%Y-%m-%d %H:%M}" if value is not None else "never"


def duration(seconds: float | None) -> str:
    """Return a duration in its largest fitting unit, such as `45 seconds` or `3.4 hours`."""
    if seconds is None or seconds != seconds:
        return "unknown"
    for size, unit in _UNITS:
        if seconds >= size:
            value = seconds / size
            told = f"{value:.1f}" if value < 10 and size >= 3_600 else f"{value:.0f}"
            told = told.removesuffix(".0")
            return f"{told} {unit}" if told == "1" else f"{told} {unit}s"
    return "under a second"


def ago(earlier: datetime, later: datetime) -> str:
    """Return how long before `later` something was."""
    return duration(max((later - earlier).total_seconds(), 0))


def bytes_of(number: float) -> str:
    """Return a number of bytes, such as `280 bytes` or `22 MB`."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= size:
            value = number / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return count(int(number), "byte")


def loss(least: int, likely: int | None, most: int | None) -> str:
    """Return a loss as a range, with the likely number where there is one."""
    if most is None:
        return f"at least {least:,}"
    likeliest = "" if likely is None else f", likely {likely:,}"
    return f"{least:,} to {most:,}{likeliest}"


def harmless(text: object) -> str:
    """Return a text that others wrote so that neither Markdown nor HTML obeys it, on one line."""
    line = " ".join(str(text).split())
    line = line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
    return "".join(c if c.isalnum() or c in " ,:/()=…" else f"&#{ord(c)};" for c in line)
