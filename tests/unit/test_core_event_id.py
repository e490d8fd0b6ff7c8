"""Ids are places: one spelling each, compared as integers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.streams.event_id import ORIGIN, EventId

ids = st.builds(EventId, st.integers(0, 10**15 - 1), st.integers(0, 10**20 - 1))


@given(ids)
def test_an_id_has_one_spelling(place: EventId) -> None:
    assert EventId.parse(str(place)) == place
    assert str(EventId.parse(str(place))) == str(place)


@given(ids, ids)
def test_ids_compare_as_two_integers(one: EventId, other: EventId) -> None:
    assert (one < other) == ((one.ms, one.seq) < (other.ms, other.seq))
    assert max(one, other) >= ORIGIN


def test_ten_comes_after_nine_and_two() -> None:
    texts = ["1700000000000-10", "1700000000000-9", "1700000000000-2", "999-100"]
    places = sorted(place for text in texts if (place := EventId.parse(text)))
    assert [str(place) for place in places] == [texts[3], texts[2], texts[1], texts[0]]


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "1", "1-", "-1", "1--1", "-1-1", "1-1-1", "01-1", "1-01", "00-0", "1-00"),
        *(" 1-1", "1-1 ", "1-1\n", "\n1-1", "1 -1", "+1-1", "1-+1", "1_0-1", "1.0-1", "1e3-1"),
        *(
            "0x1-1",
            "\u0661-1",
            "1-\uff11",
            "²-1",
            "1\u20111",
            "1\x00-1",
            "../x",
            "' or 1=1",
            "null",
        ),
        *("9" * 16 + "-0", "0-" + "9" * 21, "1" * 100_000, "1-" + "1" * 100_000),
        "5f0c2f6e-8d0e-4b43-9d0e-6d1c4c8c1c11",
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    assert EventId.parse(text) is None


@given(st.text(alphabet="0123456789-+ \n.", max_size=24))
def test_what_parses_is_what_is_spelt(text: str) -> None:
    place = EventId.parse(text)
    assert place is None or str(place) == text


@given(st.lists(ids | st.sampled_from([ORIGIN])))
def test_a_page_of_ids_is_read_at_once(places: list[EventId]) -> None:
    assert EventId.parse_all([str(place) for place in places]) == places


@given(st.lists(ids.map(str) | st.text(alphabet="01- ", max_size=9), max_size=5))
def test_one_that_is_none_spoils_the_page(texts: list[str]) -> None:
    singly = [EventId.parse(text) for text in texts]
    assert EventId.parse_all(texts) == (None if None in singly else singly)


def test_the_longest_ids_parse() -> None:
    assert EventId.parse("9" * 15 + "-" + "9" * 20) == EventId(10**15 - 1, 10**20 - 1)
    assert EventId.parse("0-0") == ORIGIN


@pytest.mark.parametrize("texts", [["0-0 "], [" 0-0"], ["0-0 0-0", ""], ["", "0-0"], ["0-0\n"]])
def test_blanks_around_an_id_spoil_it(texts: list[str]) -> None:
    assert EventId.parse_all(texts) is None
