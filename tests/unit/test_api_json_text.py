"""JSON taken apart as text: found, checked and repaired without building values."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.api.json_text import (
    Malformed,
    is_json,
    items,
    members,
    repair_surrogates,
    skip_space,
    skip_value,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a JSON text, spaced and escaped in different ways."""
    value = draw(values)
    indent = draw(st.sampled_from([None, 0, 3]))
    return json.dumps(value, indent=indent, ensure_ascii=draw(st.booleans()))


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Draw a JSON text with a few characters changed, dropped or doubled."""
    text = draw(texts())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        piece = draw(
            st.sampled_from([*'{}[]:,"\\ \n\t\x00\x1f0-1.eE+tfnuNI', "", "\\u", "null", "NaN"])
        )
        text = text[:at] + piece + text[at + draw(st.integers(0, 2)) :]
    return text


def python_takes(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@given(texts() | mutations() | st.text(alphabet='{}[]:,"\\ 01-.eEnul', max_size=12))
def test_a_text_is_json_when_python_takes_it(text: str) -> None:
    assert is_json(text.encode("utf-8", "surrogatepass")) == (
        python_takes(text) and not any("\ud800" <= c <= "\udfff" for c in text)
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "nul", "tru e", "truefalse", "01", "-", "-01", "+1", ".5", "1.", "1e", "1e+"),
        *("[1 2]", "[1,]", "[,1]", "[", "]", "[}", "{]", '{"a"}', '{"a":}', '{"a":1,}', "{,}"),
        *(
            "{1:2}",
            '{"a":1 "b":2}',
            '{"a"1}',
            "1 2",
            '"',
            '"a',
            '"\n"',
            '"\x00"',
            '"\\q"',
            '"\\u12"',
        ),
        *("'a'", "-NaN", "nan", "+Infinity", "// x\n1", "\ufeff1", "1\x00", "\xa01", "\x0b1"),
    ],
)
def test_what_is_no_json(text: str) -> None:
    assert not is_json(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0",
            "-0",
            "1e400",
            "-1.5E-7",
            "7" * 5000,
            "NaN",
            "Infinity",
            "-Infinity",
            '""',
            "[]",
            "{}",
        ),
        *('"\\ud83d"', '"\\u0000"', '"\x7f"', ' [ { } , "a" ] \r\n', '{"a":1,"a":2}', '"\u2028"'),
    ],
)
def test_what_is_json(text: str) -> None:
    assert is_json(text.encode())


def test_depth_costs_nothing() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert is_json(deep)
    assert not is_json(deep[:-1])
    assert skip_value(deep, 0) == len(deep)
    objects = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert is_json(objects)
    assert skip_value(objects, 0) == len(objects)


def test_size_costs_little() -> None:
    began = time.process_time()
    quotes = b'"' + b'\\"' * 500_000
    with pytest.raises(Malformed):
        skip_value(quotes, 0)
    assert not is_json(quotes)
    assert not is_json(b"[" + b"1," * 200_000)
    assert skip_space(b" " * 1_000_000, 0) == 1_000_000
    assert time.process_time() - began < 5


@pytest.mark.parametrize("text", [b"\xff", b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"'])
def test_what_is_not_utf_8_is_no_json(text: bytes) -> None:
    assert not is_json(text)


@given(texts(), st.sampled_from(["", " ", "\n", ",", "]", "}"]))
def test_a_value_ends_where_it_ends(text: str, rest: str) -> None:
    raw = text.encode()
    end = skip_value(raw + rest.encode(), 0)
    assert end == len(raw)


@given(st.lists(texts(), max_size=5), st.sampled_from(["", " ", "\r\n\t"]))
def test_a_lists_items_are_found(parts: list[str], space: str) -> None:
    whole = space.join(["[", f"{space},{space}".join(parts), "]"])
    assert [item.decode() for item in items(whole.encode())] == parts


@given(st.lists(st.tuples(st.text(max_size=5), texts()), max_size=5), st.sampled_from(["", " \n"]))
def test_an_objects_members_are_found(parts: list[tuple[str, str]], space: str) -> None:
    pairs = [(json.dumps(key), value) for key, value in parts]
    inside = f"{space},{space}".join(f"{key}{space}:{space}{value}" for key, value in pairs)
    whole = f"{{{space}{inside}{space}}}"
    assert [(k.decode(), v.decode()) for k, v in members(whole.encode())] == pairs


@pytest.mark.parametrize("text", [b"[1 2]", b"[1,", b"[", b'["a"', b"[1}", b"[:]"])
def test_a_broken_list(text: bytes) -> None:
    with pytest.raises(Malformed):
        list(items(text))


@pytest.mark.parametrize(
    "text", [b"{1:2}", b'{"a"}', b'{"a":1', b'{"a":1 "b":2}', b"{", b'{"a":}', b'{"a', b"{,}"]
)
def test_a_broken_object(text: bytes) -> None:
    with pytest.raises(Malformed):
        list(members(text))


@given(st.binary(max_size=60))
def test_no_bytes_upset_the_scanner(raw: bytes) -> None:
    for scan in (
        lambda: skip_value(raw, 0),
        lambda: list(items(b"[" + raw)),
        lambda: list(members(b"{" + raw)),
    ):
        try:
            scan()
        except Malformed:
            continue
    assert is_json(raw) in (True, False)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (r'"\ud83d"', r'"\ufffd"'),
        (r'"\uDE00"', r'"\ufffd"'),
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
        (r'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
        (r'"\ude00\ud83d"', r'"\ufffd\ufffd"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\\\ud83d"', r'"\\\ufffd"'),
        (r'"\ud83d\\ude00"', r'"\ufffd\\ude00"'),
        (r'"\ud83dx\u0041\n"', r'"\ufffdx\u0041\n"'),
        (r'{"\udfff":1}', r'{"\ufffd":1}'),
        (r'"plain"', r'"plain"'),
    ],
)
def test_half_a_pair_is_replaced(text: str, repaired: str) -> None:
    assert repair_surrogates(text.encode()).decode() == repaired


@given(st.text(alphabet=st.sampled_from('aé💥\\"\ud83d\ude00\n'), max_size=12))
def test_a_repaired_text_is_the_text_with_marks(text: str) -> None:
    original = json.dumps(text)
    repaired = repair_surrogates(original.encode())
    expected = json.loads(original).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    value: Any = json.loads(repaired)
    assert value.encode() is not None
    assert value.replace("\ufffd", "") == expected.replace("\ufffd", "")
    assert is_json(repaired)
