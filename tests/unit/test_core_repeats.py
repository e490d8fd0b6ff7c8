"""An id that comes again with another event is noticed once, as long as it is remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.repeats import (
    changed,
    digest_of,
    keep,
    pack_digests,
    unpack_digests,
)

ids = st.builds(EventId, st.integers(0, 10**15 - 1), st.integers(0, 10**20 - 1))
A, B, C = (EventId(1, seq) for seq in range(3))


def test_another_event_under_a_known_id_is_a_change() -> None:
    known = {A: digest_of(b"1"), B: digest_of(b"2")}
    shown = {A: digest_of(b"1"), B: digest_of(b"2 "), C: digest_of(b"3")}
    assert changed(known, shown) == [B]
    assert changed(keep(known, shown, {A, B, C}), shown) == []


def test_what_is_not_remembered_is_not_kept() -> None:
    assert keep({A: 1, B: 2}, {C: 3}, {B, C}) == {B: 2, C: 3}


@given(st.dictionaries(ids, st.integers(0, 2**24 - 1), max_size=9), st.sets(ids, max_size=3))
def test_digests_are_stored_in_four_characters(
    digests: dict[EventId, int], others: set[EventId]
) -> None:
    remembered = digests.keys() | others
    text = pack_digests(digests, remembered)
    assert len(text) == (4 * len(remembered) if digests else 0)
    assert unpack_digests(text, remembered) == digests


@pytest.mark.parametrize("text", ["AAAA", "AAA", "AAAAAAAAAAAA"])
def test_digests_of_other_ids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digests of other ids"):
        unpack_digests(text, {A, B})
