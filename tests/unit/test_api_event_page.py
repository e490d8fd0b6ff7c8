"""A page of events: payloads pass byte for byte, and a bad row costs only itself."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.api.json_text import is_json
from pipedream_source.api.pages import event_page, slow_path
from pipedream_source.api.pages.event_page import EventPage, read_event_page
from pipedream_source.api.pages.slow_path import Malformed
from pipedream_source.api.protocol import Answer
from pipedream_source.exceptions import ProtocolError

META = b'{"emit_id":"e1","name":"chan","emitter_id":"dc_1"}'


class Row(NamedTuple):
    """A row as these tests see it, whatever holds it inside."""

    id: str
    indexed_at_ms: int | None
    event: bytes | None
    metadata: bytes | None
    names: tuple[str | None, str | None]
    repaired: bool


def read(body: bytes) -> EventPage:
    return read_event_page(Answer(200, {}, body), "/x")


def rows_of(page: EventPage) -> list[Row]:
    return [
        Row(
            str(row.place),
            row.indexed_at_ms,
            None if row.event is None else bytes(row.event),
            None if row.metadata is None else bytes(row.metadata),
            row.names(),
            row.repaired,
        )
        for row in page.rows
    ]


def read_slowly(body: bytes) -> list[Row]:
    rows, bad, info = slow_path.read_page(body)
    assert bad == []
    return rows_of(EventPage(rows, bad, info, len(body)))


def row(
    place: str, event: bytes | None = b"1", metadata: bytes | None = META, more: bytes = b""
) -> bytes:
    fields = [b'"id":"%s"' % place.encode(), b'"indexed_at_ms":5', more]
    fields += [b'"event":' + event] if event is not None else []
    fields += [b'"metadata":' + metadata] if metadata is not None else []
    return b"{" + b",".join(field for field in fields if field) + b"}"


def page(*rows: bytes, info: bytes = b'{"total_count":3,"end_cursor":"c"}') -> bytes:
    return b'{"page_info":' + info + b',"data":[' + b",".join(rows) + b"]}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    indent = draw(st.sampled_from([None, 1]))
    text = json.dumps(draw(json_values), indent=indent, ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "replace")


@given(st.lists(st.tuples(payloads(), payloads()), max_size=4))
def test_any_value_passes_byte_for_byte_on_both_paths(parts: list[tuple[bytes, bytes]]) -> None:
    body = page(*[row(f"{n + 1}-{n}", event, meta) for n, (event, meta) in enumerate(parts)])
    found = read(body)
    got = rows_of(found)
    assert [(r.event, r.metadata) for r in got] == parts
    assert got == read_slowly(body)
    assert (found.info.total_count, found.info.end_cursor, found.nbytes) == (3, "c", len(body))
    assert found.bad == []


@given(
    st.dictionaries(
        st.sampled_from(["id", "indexed_at_ms", "event", "metadata", "extra"]),
        st.sampled_from(
            [
                *("1-0", "5-12", "01-1", "x", 5, -3, 2**63, 2**64, 10**18, 10**17, 1.0, 1e3, None),
                *(True, [], {}, {"name": "n", "emit_id": 5}, {"name": None}, "\ud83d", "\x00💥"),
                {"metadata": {"emit_id": "a", "emitter_id": "b", "name": "c"}},
            ]
        ),
    )
)
def test_the_fast_path_takes_nothing_the_slow_path_reads_otherwise(fields: dict) -> None:
    body = json.dumps({"data": [fields, {"id": "7-7", "event": 1, "metadata": {}}]}).encode()
    fast = event_page._read_fast(body)
    if fast is not None:
        assert rows_of(fast) == read_slowly(body)
    found = read(body)
    assert len(found.rows) + sum(bad.place is None for bad in found.bad) == 2
    for one in rows_of(found):
        assert one.indexed_at_ms is None or abs(one.indexed_at_ms) < 2**63
        for text in (one.event, one.metadata):
            assert text is None or is_json(text)


GOOD = [row("1700000000000-1", b'{"a":1}'), row("1700000000000-2", b'"b"')]


@pytest.mark.parametrize(
    ("event", "stored"),
    [
        *[(e, e) for e in (b"NaN", b"-Infinity", b'{"x":[NaN]}', b"1e400", b"-0", b"7" * 5000)],
        (b'"\\u0000"', b'"\\u0000"'),
        (b'"\\ud83d\\ude00"', b'"\\ud83d\\ude00"'),
        (b"[" * 100_000 + b"]" * 100_000, b"[" * 100_000 + b"]" * 100_000),
        (b'{"a":1,"a":2,"_dlt_load_id":3,"A":4}', b'{"a":1,"a":2,"_dlt_load_id":3,"A":4}'),
        (b"12345678901234567890123", b"12345678901234567890123"),
        (None, None),
        (b"null", b"null"),
    ],
    ids=lambda v: repr(v[:20] if v else v),
)
def test_odd_events_are_kept_verbatim(event: bytes | None, stored: bytes | None) -> None:
    found = read(page(GOOD[0], row("5-5", event), GOOD[1]))
    got = rows_of(found)
    assert [one.id for one in got] == ["1700000000000-1", "5-5", "1700000000000-2"]
    assert (got[1].event, got[1].repaired, found.bad) == (stored, False, [])
    assert got[1].names == ("chan", "e1")


def test_half_a_surrogate_pair_is_repaired_and_the_original_kept() -> None:
    odd = row("5-5", b'{"t":"cut \\ud83d","n":1e400}')
    found = read(page(GOOD[0], odd, GOOD[1]))
    got = rows_of(found)
    assert (got[1].event, got[1].repaired) == (b'{"t":"cut \\ufffd","n":1e400}', True)
    assert [(bad.raw, str(bad.place), bad.id_text) for bad in found.bad] == [(odd, "5-5", "5-5")]
    assert rows_of(read(page(*GOOD))) == [got[0], got[2]]


def test_a_repaired_metadata_keeps_its_original_too() -> None:
    odd = row("5-5", b"1", b'{"name":"\\udc00"}')
    found = read(page(odd))
    assert rows_of(found)[0].metadata == b'{"name":"\\ufffd"}'
    assert [bad.raw for bad in found.bad] == [odd]


BAD_ROWS = [
    *(b"null", b"5", b'"x"', b"true", b"[]", b'["1-0"]', b"{}", b'{"id":null}', b'{"id":5}'),
    *(b'{"id":""}', b'{"id":"x"}', b'{"id":"01-0"}', b'{"id":["1-0"]}', b'{"id":"1-0\\n"}'),
    *(b'{"id":"../x"}', b'{"id":"\' or 1=1"}', b'{"id":"\\ud83d"}', b'{"id":"\xff"}'),
    b'{"id":"%s"}' % (b"9" * 1_000_000),
    b'{"id":"1-0","event":"\xff\xfe","metadata":{}}',
    b'{"id":"1-0","event":"\xed\xa0\x80","metadata":{}}',
    b'{"id":"1-0","event":"\x00","metadata":{}}',
    b'{"id":"1-0","event":tru,"metadata":{}}',
    b'{"id":"1-0","event":01,"metadata":{}}',
    b'{"id":"1-0","event":{bad},"metadata":{}}',
    b'{"id":"1-0","event":{bad}}',
    b'{"id":"1-0","event":{"metadata":}}',
    b'{"id":"1-0","event":[1 2],"metadata":{}}',
    b'{"id":"1-0","event":1,"metadata":{\'a\':1}}',
    b'{"id":"1-0" "event":1}',
    b'{id:"1-0"}',
]


@pytest.mark.parametrize("raw", BAD_ROWS, ids=lambda r: repr(r[:40]))
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_row_costs_only_itself(raw: bytes, place: int) -> None:
    rows = [*GOOD]
    rows.insert(place, raw)
    found = read(page(*rows))
    assert rows_of(found) == rows_of(read(page(*GOOD)))
    assert [(bad.raw, bad.place) for bad in found.bad] == [(raw, None)]
    reason = found.bad[0].reason
    assert reason.encode()
    assert len(reason) < 300


@pytest.mark.parametrize(
    ("raw", "metadata", "names"),
    [
        (row("1-0", b"1", None), None, (None, None)),
        (row("1-0", b"1", b"null"), b"null", (None, None)),
        (row("1-0", b"1", b"[]"), b"[]", (None, None)),
        (row("1-0", b"1", b'{"name":5,"emit_id":"e"}'), b'{"name":5,"emit_id":"e"}', (None, "e")),
        (row("1-0", b'{"metadata":' + META + b"}", None), META, ("chan", "e1")),
        (row("1-0", b'{"metadata":' + META + b"}", b"{}"), b"{}", (None, None)),
        (row("1-0", b'{"metadata":{"mine":1}}', None), None, (None, None)),
    ],
)
def test_metadata_stands_beside_the_event_or_in_it(
    raw: bytes, metadata: bytes | None, names: tuple[str | None, str | None]
) -> None:
    got = rows_of(read(page(raw)))[0]
    assert (got.metadata, got.names) == (metadata, names)


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("body", [b'{"data":[]}', b' {"data" : [ ] } \n', b'{"data":[],"x":NaN}'])
def test_an_empty_window(bom: bytes, body: bytes) -> None:
    found = read(bom + body)
    assert (found.rows, found.bad, found.info.total_count) == ([], [], None)


@pytest.mark.parametrize(
    "info", [b"null", b"5", b'"x"', b"[]", b"{}", b'{"total_count":"x"}', b"NaN"]
)
def test_page_info_may_be_anything(info: bytes) -> None:
    found = read(page(*GOOD, info=info))
    assert (len(found.rows), found.info.end_cursor, found.info.total_count) == (2, None, None)


WHOLE = page(*GOOD)
NO_PAGES = [
    *(b"", b" ", b"null", b"[]", b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":"[]"}'),
    *(b'{"data":5}', b'{"error":"record not found"}', b"<html>busy</html>", b"\xff\xfe[\x00"),
    *(WHOLE[:-1], WHOLE[:-2], WHOLE[: len(WHOLE) // 2], WHOLE + b"x", WHOLE + WHOLE, b"[" + WHOLE),
    *(b'{"data":[1 2]}', b'{"data":[', b'{"data":[}', b'{"Data":[]}', b'{"data" []}'),
    b"[" * 100_000,
    b'{"data":' + b"[" * 100_000,
]


@pytest.mark.parametrize("body", NO_PAGES, ids=lambda b: repr(b[:30]))
def test_what_is_no_page_is_an_error_and_never_no_events(body: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(body)
    assert len(caught.value.excerpt) <= 850


@given(st.integers(0, len(WHOLE)), st.binary(max_size=6), st.integers(0, 9))
def test_no_damage_upsets_the_reader(at: int, inserted: bytes, dropped: int) -> None:
    body = WHOLE[:at] + inserted + WHOLE[at + dropped :]
    try:
        found = read(body)
    except ProtocolError:
        return
    for one in rows_of(found):
        for text in (one.event, one.metadata):
            assert text is None or is_json(text)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_page_or_an_error(body: bytes) -> None:
    for raw in (body, b'{"data":[' + body + b"]}"):
        try:
            read(raw)
        except ProtocolError:
            continue
    try:
        slow_path.read_page(body)
    except Malformed:
        return


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        *(("5", 5), ("-5", -5), ("null", None), ("1.0", None), ("1e3", None), ('"5"', None)),
        *(("true", None), (str(10**18 - 1), 10**18 - 1), (str(10**18), None), (str(2**63), None)),
        *((str(-(10**30)), None), ("7" * 5000, None), ("[]", None), ("{}", None)),
    ],
)
def test_a_time_of_indexing_that_no_column_holds_is_left_out(
    sent: str, read_as: int | None
) -> None:
    body = b'{"data":[{"id":"1-0","indexed_at_ms":%s,"event":1,"metadata":{}}]}' % sent.encode()
    assert [one.indexed_at_ms for one in rows_of(read(body))] == [read_as]
    assert rows_of(read(body)) == read_slowly(body)


def test_both_paths_are_used() -> None:
    assert event_page._read_fast(page(*GOOD)) is not None
    assert event_page._read_fast(page(row("1-0", b"NaN"))) is None
