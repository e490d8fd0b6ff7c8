"""JSON that keeps how it was sent, where Python's values cannot say it.

Python knows neither that `1.10` has two decimals nor `1e400`, `-0` or a key that stands twice. A
number that would change is a float that remembers its text, and a payload is its text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

# Python refuses to read longer ones as integers.
_MOST_DIGITS = 4_000


class SentNumber(float):
    """A number whose spelling Python would change.

    Attributes:
        text: as it was sent.
    """

    text: str

    def __new__(cls, text: str) -> SentNumber:
        """Take a number of JSON."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        """Spell the number as it was sent."""
        return self.text


@dataclass(frozen=True, slots=True)
class SentJson:
    """A JSON value as it was sent; read only where something in it is asked for.

    Attributes:
        text: the JSON.
    """

    text: str


def read_json(text: str) -> Any:
    """Return what a JSON text holds, its numbers as they were sent.

    Raises:
        ValueError: it is not JSON; NaN and the infinities count as such.
        RecursionError: it is nested too deeply for Python.
    """
    return json.loads(text, parse_float=_fraction, parse_int=_integer)


def _fraction(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else SentNumber(text)


def _integer(text: str) -> float:
    is_plain = len(text) <= _MOST_DIGITS and text != "-0"
    return int(text) if is_plain else SentNumber(text)
