"""Event ids: `<ms>-<seq>`, the API's clock in milliseconds and a counter within it.

As text `…-10` sorts before `…-2`, so ids are compared as two integers, never as they stand.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipedream_source.settings import MAX_ID_MS_DIGITS, MAX_ID_SEQ_DIGITS

_CANONICAL = re.compile(
    rf"(0|[1-9][0-9]{{0,{MAX_ID_MS_DIGITS - 1}}})-(0|[1-9][0-9]{{0,{MAX_ID_SEQ_DIGITS - 1}}})"
).fullmatch


class EventId(NamedTuple):
    """An event's place in its stream; tuples compare in emission order.

    Attributes:
        ms: when the event was emitted, Unix milliseconds UTC by the API's clock.
        seq: its number among the events of that millisecond, from 0.
    """

    ms: int
    seq: int

    @classmethod
    def parse(cls, text: str) -> EventId | None:
        """Read an id as the API writes it.

        Returns:
            The id, or None for anything but two plain decimal integers without leading zeros,
            of at most 15 and 18 digits: one id then has one spelling, and the spelling of a
            stored event is known from its place.
        """
        match = _CANONICAL(text)
        return cls(int(match[1]), int(match[2])) if match else None

    def __str__(self) -> str:
        """Spell the id as the API does."""
        return f"{self.ms}-{self.seq}"


#: Below every real id: where a stream stands that was seen empty before its first event.
ORIGIN = EventId(0, 0)
