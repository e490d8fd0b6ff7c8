"""How long to fuzz, and how to spoil what is whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#: A few examples every day, many with `-m chaos`.
LENGTHS = pytest.mark.parametrize(
    "examples", [40, pytest.param(2_000, marks=[pytest.mark.chaos, pytest.mark.timeout(1_800)])]
)


def fuzz(examples: int, check: Callable[..., None], *strategies: st.SearchStrategy[Any]) -> None:
    """Run a check on drawn examples; a failure prints how to draw it again."""
    quiet = settings(
        max_examples=examples,
        deadline=None,
        print_blob=True,
        database=None,
        suppress_health_check=[*HealthCheck],
    )

    @quiet
    @given(st.tuples(*strategies))
    def run(drawn: tuple[Any, ...]) -> None:
        check(*drawn)

    run()


@st.composite
def spoilt(draw: st.DrawFn, wholes: list[bytes], alphabet: list[bytes]) -> bytes:
    """Draw a text that was whole once: cut, doubled, and with something else put in."""
    text = draw(st.sampled_from(wholes))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        to = min(at + draw(st.integers(0, 12)), len(text))
        put = draw(st.sampled_from([b"", text[at:to] * 2, *alphabet]) | st.binary(max_size=4))
        text = text[:at] + put + text[to:]
    return text
