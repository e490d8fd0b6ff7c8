"""What Postgres' jsonb takes: each line was tried on a server (15.18, default settings)."""

import pytest

from pipedream_source.api.json_text import depth_of
from pipedream_source.api.pages.event_rows import EventRow
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.resources.arrow.limits import Limits, fit, limits_of


@pytest.fixture
def limits() -> Limits:
    found = limits_of("postgres")
    assert found is not None
    return found


# Texts of one number, and whether the server takes them.
NUMBERS = {
    "1e131071": True,
    "1e131072": False,
    "9e131071": True,
    "10e131071": False,
    "-1e131072": False,
    "123456e131067": False,
    "0.1e131072": True,
    "0.1e131073": False,
    "0.01e131073": True,
    "0e200000": True,
    "0.0e200000": True,
    "0e-200000": False,
    "0e99999999999": False,
    "1e-16383": True,
    "1e-16384": False,
    "1.5e-16382": True,
    "1.5e-16383": False,
    "0." + "0" * 16_382 + "1": True,
    "0." + "0" * 16_383 + "1": False,
    "0." + "1" * 15_384 + "e-999": True,
    "0." + "1" * 15_385 + "e-999": False,
    "1e2147483648": False,
    "1e-2147483648": False,
    "9" * 131_072: True,
    "9" * 131_073: False,
    "1.5E+5": True,
    "1E+131072": False,
    "-0": True,
    "NaN": False,
    "-Infinity": False,
}


@pytest.mark.parametrize(("number", "is_taken"), NUMBERS.items(), ids=lambda v: str(v)[:20])
def test_numbers(limits: Limits, number: str, is_taken: bool) -> None:
    for text in (number, f'{{"a":[{number}, "x"]}}'):
        expected = text if is_taken else text.replace(number, f'"{number}"')
        assert limits.json(text.encode()) == expected.encode()


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (rb'"\u0000"', rb'"\ufffd"'),
        (rb'{"\u0000a":"b\u0000\u0000"}', rb'{"\ufffda":"b\ufffd\ufffd"}'),
        (rb'"\\u0000 \\\u0000"', rb'"\\u0000 \\\ufffd"'),
        (rb'{"NaN":"-Infinity","1e99999":"\"NaN"}', rb'{"NaN":"-Infinity","1e99999":"\"NaN"}'),
        (rb'"\"", NaN', rb'"\"", "NaN"'),
    ],
)
def test_what_stands_in_texts(limits: Limits, text: bytes, stored: bytes) -> None:
    assert limits.json(text) == stored


def test_brackets_in_texts_are_no_depth() -> None:
    assert depth_of(rb'{"a[":["]{\"{"],"b":{}}') == 2


def test_depth_and_size(limits: Limits) -> None:
    nested = b"[" * limits.depth + b"]" * limits.depth
    assert limits.json(nested) == nested
    assert limits.json(b"[%b]" % nested) is None
    assert limits.json(b'"%b"' % (b"[" * 10_000)) is not None
    small = Limits("small", digits=9, decimals=9, depth=9, nbytes=1_000)
    assert small.json(b'"%b"' % (b"a" * 980)) is not None
    assert small.json(b'"%b"' % (b"a" * 1_000)) is None
    # A number takes more in the column than in the text.
    assert small.json(b"[%b]" % b",".join([b"1"] * 100)) is None
    assert small.json(b"[%b]" % b",".join([b"1"] * 70)) is not None


def test_rows_and_their_originals(limits: Limits) -> None:
    places = [EventId(1_700_000_000_000, n) for n in range(4)]
    nested = b"[" * 6_000 + b"]" * 6_000
    rows = [
        EventRow(places[0], 5, b'{"a":1}', b'{"name":"x"}', known_names=("x", None)),
        EventRow(places[1], 5, b"NaN", rb'{"name":"\u0000"}', known_names=("\0", None)),
        EventRow(places[2], None, nested, None),
        EventRow(places[3], None, None, rb'{"emit_id":"\u0000"}', repaired=True),
    ]
    originals = fit(rows, limits)
    assert [row.state for row in rows] == ["full", "repaired", "repaired", "missing"]
    assert (rows[0].event, rows[1].event, rows[2].event) == (b'{"a":1}', b'"NaN"', None)
    assert [row.names() for row in rows[:2]] == [("x", None), ("\ufffd", None)]
    assert [original.raw for original in originals] == [
        rb'{"id":"1700000000000-1","indexed_at_ms":5,"event":NaN,"metadata":{"name":"\u0000"}}',
        b'{"id":"1700000000000-2","event":%b}' % nested,
    ]


def test_other_destinations_take_all() -> None:
    assert limits_of("duckdb") is limits_of(None) is None
