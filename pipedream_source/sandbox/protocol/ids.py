"""Ids and cursors in the forms that the API gives them, drawn from a seeded generator."""

from __future__ import annotations

import base64
import binascii
import re
from random import Random
from typing import NamedTuple

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KSUID_EPOCH_S = 1_400_000_000
_OBJECT_ID = re.compile(r"[a-z]+_\w+", re.ASCII)
_EVENT_ID = re.compile(r"([0-9]{1,30})-([0-9]{1,30})", re.ASCII)


class EventId(NamedTuple):
    """An event's place in its stream; compares as two integers, not as text."""

    ms: int
    seq: int

    def __str__(self) -> str:
        """Write it as the API does."""
        return f"{self.ms}-{self.seq}"


def parse_event_id(text: str) -> EventId | None:
    """Read `<ms>-<seq>`; None when the text is anything else."""
    match = _EVENT_ID.fullmatch(text)
    return EventId(int(match[1]), int(match[2])) if match else None


def short_id(prefix: str, rng: Random, length: int = 6) -> str:
    """Make an id such as `dc_K0uAee`."""
    return f"{prefix}_{''.join(rng.choices(_BASE62, k=length))}"


def ksuid(ms: int, rng: Random) -> str:
    """Make a KSUID: 32 bits of seconds, 128 random bits, as 27 characters of base 62."""
    number = ((ms // 1000 - _KSUID_EPOCH_S) & 0xFFFF_FFFF) << 128 | rng.getrandbits(128)
    digits = []
    for _ in range(27):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))


def to_cursor(row_id: str) -> str:
    """Make the cursor of a list's row: its id in base64url without padding."""
    return base64.urlsafe_b64encode(row_id.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str | None:
    """Read a list's cursor back; None when it is not one.

    Padding is taken as well, as clients may add it. The decoder skips what is no base64, so that
    what it reads is written again to compare.
    """
    padding = "=" * (-len(cursor) % 4)
    try:
        row_id = base64.urlsafe_b64decode(cursor + padding).decode()
    except (binascii.Error, ValueError):
        return None
    is_cursor = cursor.rstrip("=") == to_cursor(row_id) and _OBJECT_ID.fullmatch(row_id)
    return row_id if is_cursor else None
