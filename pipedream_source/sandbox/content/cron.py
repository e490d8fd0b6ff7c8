"""The next instant of a cron expression: minute, hour, day, month and weekday, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART = re.compile(r"(\*|\d{1,2}(?:-\d{1,2})?)(?:/(\d{1,2}))?", re.ASCII)
_DAYS_AHEAD = 366 * 5
_Fields = tuple[frozenset[int], ...]


class NotCron(ValueError):
    """The text is no cron expression of five fields."""


def parse(expression: str) -> _Fields:
    """Read an expression into the values that each field allows.

    Raises:
        NotCron: it has not five fields of numbers, ranges, lists and steps.
    """
    words = expression.split()
    if len(words) != len(_RANGES):
        raise NotCron(expression)
    fields = [_field(word, *limits) for word, limits in zip(words, _RANGES, strict=True)]
    fields[4] = frozenset(day % 7 for day in fields[4])
    return tuple(fields)


def _field(word: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise NotCron(word)
        span, step = match[1], int(match[2] or 1)
        first, _, last = ("*" if span == "*" else span).partition("-")
        start = low if first == "*" else int(first)
        stop = int(last) if last else (high if first == "*" or match[2] else start)
        if not (low <= start <= stop <= high and step):
            raise NotCron(word)
        values.update(range(start, stop + 1, step))
    return frozenset(values)


def next_minute(expression: str, ms: int) -> int | None:
    """Return the first matching minute after an instant, or None when there is none in years."""
    minutes, hours, days, months, weekdays = parse(expression)
    at = datetime.fromtimestamp(ms // 1000, tz=UTC).replace(second=0) + timedelta(minutes=1)
    starred = expression.split()
    both = starred[2] != "*" and starred[4] != "*"
    for _ in range(_DAYS_AHEAD):
        by_day, by_weekday = at.day in days, at.isoweekday() % 7 in weekdays
        # Cron's own rule: with both fields given, either is enough.
        if at.month in months and (by_day or by_weekday if both else by_day and by_weekday):
            for hour in range(at.hour, 24):
                first = at.minute if hour == at.hour else 0
                for minute in range(first, 60):
                    if hour in hours and minute in minutes:
                        return round(at.replace(hour=hour, minute=minute).timestamp()) * 1000
        at = at.replace(hour=0, minute=0) + timedelta(days=1)
    return None
