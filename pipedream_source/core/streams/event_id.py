"""Event ids: `<ms>-<seq>`, the API's clock in milliseconds and a counter within it.

As text `…-10` sorts before `…-2`, so ids are compared as two integers, never as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from pipedream_source.settings import MAX_ID_MS_DIGITS, MAX_ID_SEQ_DIGITS

_MS = rf"(0|[1-9][0-9]{{0,{MAX_ID_MS_DIGITS - 1}}})"
_SEQ = rf"(0|[1-9][0-9]{{0,{MAX_ID_SEQ_DIGITS - 1}}})"
_CANONICAL = re.compile(f"{_MS}-{_SEQ}").fullmatch
_CANONICAL_LIST = re.compile(f"(?:{_MS}-{_SEQ}(?: (?!$)|$))*").fullmatch


# The last millisecond of Python's calendar; ids may be younger.
_CALENDAR_END_MS: Final = 253_402_300_799_999
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EventId(NamedTuple):
    """An event's place in its stream; tuples compare in emission order.

    Attributes:
        ms: when the event was emitted, Unix milliseconds UTC by the API's clock.
        seq: its number among the events of that millisecond, from 0; it may exceed 63 bits.
    """

    ms: int
    seq: int

    @classmethod
    def parse(cls, text: str) -> EventId | None:
        """Read an id as the API writes it.

        Returns:
            The id, or None for anything but two plain decimal integers without leading zeros,
            of at most 15 and 20 digits: one id then has one spelling, and the spelling of a
            stored event is known from its place.
        """
        match = _CANONICAL(text)
        return cls(int(match[1]), int(match[2])) if match else None

    @classmethod
    def parse_all(cls, texts: Sequence[str]) -> list[EventId] | None:
        """Read a page of ids at once, several times as fast as one by one.

        Returns:
            The ids in order, or None when any of them is not as `parse` wants it.
        """
        joined = " ".join(texts)
        if not _CANONICAL_LIST(joined):
            return None
        numbers = list(map(int, joined.replace("-", " ").split()))
        made = partial(tuple.__new__, cls)
        ids: list[EventId] = list(map(made, zip(numbers[::2], numbers[1::2], strict=True)))
        # A text that holds a space would have been read as two ids.
        return ids if len(ids) == len(texts) else None

    @property
    def moment(self) -> datetime:
        """When the event was emitted, UTC; the end of the calendar for what is beyond."""
        return time_of(self.ms)

    def __str__(self) -> str:
        """Spell the id as the API does."""
        return f"{self.ms}-{self.seq}"


#: Below every real id: where a stream stands that was seen empty before its first event.
ORIGIN = EventId(0, 0)


def place_of(text: str) -> EventId:
    """Read a stored id; the origin where it is none."""
    return EventId.parse(text) or ORIGIN


def time_of(ms: int) -> datetime:
    """Turn Unix ms into a UTC time; the end of the calendar, in the year 9999, for later ones."""
    # A float has no room for the milliseconds of late years.
    return _EPOCH + timedelta(milliseconds=min(ms, _CALENDAR_END_MS))
