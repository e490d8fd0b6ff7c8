"""Numbers, times and other people's texts in words."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notebooks.reading import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "unknown"),
        (float("nan"), "unknown"),
        (0.2, "under a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (3_600, "1 hour"),
        (5_400, "1.5 hours"),
        (86_400 * 12, "12 days"),
    ],
)
def test_durations(seconds: float | None, said: str) -> None:
    assert words.duration(seconds) == said


def test_counts_sizes_and_losses() -> None:
    assert words.count(1, "event") == "1 event"
    assert words.count(2_079, "event") == "2,079 events"
    assert [words.bytes_of(n) for n in (0, 1, 1_500, 22e6)] == [
        "0 bytes",
        "1 byte",
        "1.5 kB",
        "22 MB",
    ]
    assert words.loss(0, 141, 180) == "0 to 180, likely 141"
    assert words.loss(12, None, None) == "at least 12"
    assert words.moment(None) == "never"
    late, early = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert words.ago(early, late) == "1 day"


@given(st.text())
def test_no_text_is_obeyed(text: str) -> None:
    shown = words.harmless(text)
    assert not re.search(r"[<>\[\]`*_#|\\!\"'\n]", re.sub(r"&#\d+;", "", shown))


def test_what_a_stranger_called_a_stream_is_shown_as_it_is() -> None:
    marimo = pytest.importorskip("marimo", reason="notebooks need `make extras`")
    name = "<script>alert(1)</script> **x** [a](javascript:1) `c` $x$ &amp;"
    made = marimo.md(f"Stream **{words.harmless(name)}**").text
    assert "<script" not in made
    assert "<a " not in made
    assert made.count("<strong>") == 1
    assert "alert" in made
