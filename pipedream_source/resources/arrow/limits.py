"""What a destination cannot store, and what is stored instead, before a load package is made.

One such value would end each load of its package, and whatever waits behind it. The limits were
measured on a server of each kind; a destination without an entry takes every text, or was not
measured. An original is kept in `quarantine` by whoever calls `fit`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipedream_source.api.json_text import STRING, depth_of
from pipedream_source.api.pages.event_rows import BadRow, EventRow

_NUL_ESCAPE = rb"\u0000"
_ESCAPE = re.compile(rb"\\(?:u0000|.)", re.DOTALL)
_PART = re.compile(STRING + rb"|NaN|-?Infinity|-?[0-9][0-9.eE+-]*", re.DOTALL)
_NUMBER = re.compile(rb"-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,9}))?").fullmatch
# Digits and exponents look alike in a text's shape, so that `find` finds those of four digits or
# more: a pattern takes ten times as long. Texts in hexadecimal have the same shape.
_SHAPE = bytes.maketrans(b"123456789E", b"000000000e")
_EXPONENTS = (b"0e0000", b"0e+0000", b"0e-0000")
_DIGITS, _BEFORE_NUMBER, _NEAR = b"0123456789.", b":,[ \t\r\n-", 64
# Of a number that needs no such exponent to be out of range, three bytes in a row are digits here.
_STRIDE = 4096
_LONG_NUMBER = re.compile(rb"[0-9.]{3}").search
# jsonb takes at most so much beside the text: a header for each value, and each number's.
_PER_VALUE = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What a destination's text and JSON columns take. U+0000, NaN and infinities they do not.

    Attributes:
        name: of the destination, for messages.
        digits: most digits before the decimal point of a number.
        decimals: most digits after it.
        depth: most brackets within one another.
        nbytes: most bytes of a value.
        last_ms: the latest time that dlt can write there, Unix milliseconds.
    """

    name: str
    digits: int
    decimals: int
    depth: int
    nbytes: int
    last_ms: int = 253_402_300_799_999  # the end of the year 9999

    def text(self, value: str) -> str:
        """Return a text as it can be stored."""
        return value.replace("\0", "\ufffd")

    def json(self, text: bytes) -> bytes | None:
        r"""Return a JSON text as it can be stored; None if it cannot be.

        `\u0000` becomes `\ufffd`, and a number out of range, NaN or an infinity a string.
        """
        if self._is_too_deep(text) or self._is_too_large(text):
            return None
        return _PART.sub(self._stored, text) if _is_suspect(text) else text

    def _stored(self, part: re.Match[bytes]) -> bytes:
        found = part[0]
        if found.startswith(b'"'):
            if _NUL_ESCAPE not in found:
                return found
            return _ESCAPE.sub(lambda m: rb"\ufffd" if m[0] == _NUL_ESCAPE else m[0], found)
        return found if self._holds(found) else b'"%b"' % found

    def _holds(self, number: bytes) -> bool:
        match = _NUMBER(number)
        if match is None:
            return False
        whole, fraction, exponent = match[1].lstrip(b"0"), match[2] or b"", int(match[3] or 0)
        if not whole and not fraction.strip(b"0"):
            return len(fraction) - exponent <= self.decimals
        before = len(whole) or len(fraction.lstrip(b"0")) - len(fraction)
        return before + exponent <= self.digits and len(fraction) - exponent <= self.decimals

    def _is_too_deep(self, text: bytes) -> bool:
        brackets = text.count(b"[") + text.count(b"{")
        return brackets > self.depth and depth_of(text) > self.depth

    def _is_too_large(self, text: bytes) -> bool:
        if len(text) * _PER_VALUE <= self.nbytes:
            return False
        values = 1 + sum(map(text.count, (b",", b":", b"[", b"{")))
        return len(text) + values * _PER_VALUE > self.nbytes


#: By the SQL dialect of dlt's destination. Postgres 15: jsonb keeps numbers as `numeric`; it took
#: 10,000 levels and not 20,000, which depends on the server's `max_stack_depth`.
_LIMITS: Final = {
    "postgres": Limits("Postgres", digits=131_072, decimals=16_383, depth=5_000, nbytes=2**28 - 1)
}


def limits_of(dialect: str | None) -> Limits | None:
    """Return the limits of destinations of a SQL dialect; None where all can be stored."""
    return _LIMITS.get(dialect or "")


def fit(rows: Sequence[EventRow], limits: Limits) -> list[BadRow]:
    """Change rows that a destination cannot store, and return their originals.

    Args:
        rows: are changed in place; those that were repaired before have an original already.
        limits: of the destination.
    """
    if not any(_may_exceed(row, limits) for row in rows):
        return []
    originals = [_fit_row(row, limits) for row in rows]
    return [original for original in originals if original is not None]


def _may_exceed(row: EventRow, limits: Limits) -> bool:
    return any(_is_long(text, limits) or _is_suspect(text) for text in _texts(row))


def _texts(row: EventRow) -> list[bytes]:
    return [bytes(text) for text in (row.event, row.metadata) if text is not None]


def _is_long(text: bytes, limits: Limits) -> bool:
    # A level takes a byte, and a value two at least.
    return len(text) > limits.depth


def _is_suspect(text: bytes) -> bool:
    """Look for what may have to be replaced; most texts hold nothing of the kind."""
    return bool(
        _NUL_ESCAPE in text
        or b"NaN" in text
        or b"Infinity" in text
        or _has_exponent(text)
        or (len(text) > _STRIDE and _LONG_NUMBER(text[::_STRIDE]))
    )


def _has_exponent(text: bytes) -> bool:
    """Tell whether a number with an exponent of four digits or more may be in a text."""
    shape = text.translate(_SHAPE)
    for exponent in _EXPONENTS:
        at = shape.find(exponent)
        while at >= 0:
            before = text[max(0, at - _NEAR) : at + 1].rstrip(_DIGITS)
            if not before or before[-1] in _BEFORE_NUMBER:
                return True
            at = shape.find(exponent, at + 1)
    return False


def _fit_row(row: EventRow, limits: Limits) -> BadRow | None:
    event, metadata = (None if t is None else bytes(t) for t in (row.event, row.metadata))
    new_event = None if event is None else limits.json(event)
    new_metadata = None if metadata is None else limits.json(metadata)
    if new_event == event and new_metadata == metadata:
        return None
    original = None
    if not row.repaired:
        reason = f"{limits.name} cannot hold the event or its metadata as they came"
        original = BadRow(reason, _as_sent(row), row.place, str(row.place))
    row.withheld = event is not None and new_event is None
    row.event, row.metadata, row.repaired, row.known_names = new_event, new_metadata, True, None
    return original


def _as_sent(row: EventRow) -> bytes:
    """Write a row as the API sends it; the texts in it are those that came."""
    parts = [b'"id":"%b"' % str(row.place).encode()]
    if row.indexed_at_ms is not None:
        parts.append(b'"indexed_at_ms":%d' % row.indexed_at_ms)
    named = ((b"event", row.event), (b"metadata", row.metadata))
    parts += [b'"%b":%b' % (name, bytes(text)) for name, text in named if text is not None]
    return b"{%b}" % b",".join(parts)
