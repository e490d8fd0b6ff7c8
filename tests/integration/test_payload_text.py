r"""The text of a payload is what a JSON parser makes of it, and a search finds exactly that."""

import json
import random
import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source import PayloadSearch, payload_text

SHORT = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "\\": "\\", "/": "/"}
HOSTILE = "ab kKsS1n\\/\"'&<>+=u0\n\t\r\x00\x01\x7fé\u212a\u017fß\xb5\u03bc\u039c😀{}[]:,.*()^$?|-"


def spell(text: str, dice: random.Random) -> str:
    """Write a text as a JSON string, each character in one of the forms that JSON has for it."""
    return '"' + "".join(dice.choice(list(forms(c, dice))) for c in text) + '"'


def forms(character: str, dice: random.Random) -> list[str]:
    found = [character] if character >= " " and character not in '"\\' else []
    if character in SHORT:
        found.append("\\" + SHORT[character])
    units = character.encode("utf-16-be")
    escaped = "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
    found.append("".join(dice.choice([d, d.upper()]) if d != "u" else d for d in escaped))
    return found


def ask(expression: str, payload: str, **values: str) -> object:
    query = f"SELECT {expression} FROM (SELECT $payload::JSON AS event)"
    ((found,),) = duckdb.execute(query, {"payload": payload, **values}).fetchall()
    return found


def finds(text: str, payload: str) -> object:
    search = PayloadSearch.of_text(text)
    return ask(search.condition("event"), payload, **search.parameters)


TEXTS = st.text(st.sampled_from(HOSTILE), max_size=12)


@given(TEXTS, TEXTS, st.randoms(use_true_random=False))
def test_a_text_is_what_a_parser_yields(key: str, value: str, dice: random.Random) -> None:
    payload = f"\n{{\t{spell(key, dice)}:\r\n[{spell(value, dice)}, 1.10, -0, 1e400]}}"
    assert json.loads(payload)[key][0] == value
    expected = f'\n{{\t"{key}":\r\n["{value}", 1.10, -0, 1e400]}}'
    assert ask(payload_text("event"), payload) == expected


@given(TEXTS, TEXTS, TEXTS.filter(bool), st.booleans(), st.randoms(use_true_random=False))
def test_found_is_what_the_text_holds(
    before: str, after: str, text: str, is_in: bool, dice: random.Random
) -> None:
    value = before + (dice.choice([text, text.upper(), text.lower()]) if is_in else "") + after
    told = finds(text, spell(value, dice))
    # The engine's own idea of which letters are alike, on the text as Python parses it.
    truth = duckdb.execute(
        "SELECT regexp_matches(?, ?, 'i')",
        ['"' + value + '"', re.escape(text).replace("\x00", r"\x00")],
    ).fetchall()
    assert [(told,)] == truth


ATOMS = ["a", "K", "s", "1", "n", "u", "0", r"\\", '"', "/", "&", "é", "\u212a", "😀", r"\n", r"\."]
ATOMS += [".", r"\d", r"\W", r"\s", "[a-f]", "[^a]", "[]n]", r"[\\&]", "[[:alpha:]/]", r"\b", r"\B"]
ATOMS += [
    "^",
    "$",
    r"\A",
    r"\z",
    "{",
    "}",
    "]",
    "<",
    "=",
    r"\x61",
    r"\pL",
    r"\Qa",
    "(?i)n",
    r"(\b)",
]
REPEATS = ["", "", "", "*", "+", "?", "*?", "{2}", "{0,3}", "{9,}"]
REGEXES = st.recursive(
    st.builds(str.__add__, st.sampled_from(ATOMS), st.sampled_from(REPEATS)),
    lambda some: st.one_of(
        st.lists(some, min_size=1, max_size=4).map("".join),
        st.builds("({}|{})".format, some, some),
        st.builds("(?:{})+".format, some),
        st.builds("(?P<name>{})".format, some),
    ),
    max_leaves=6,
)


@given(REGEXES, TEXTS, st.randoms(use_true_random=False))
def test_a_regex_finds_what_it_matches_in_the_text(
    pattern: str, value: str, dice: random.Random
) -> None:
    try:
        truth = duckdb.execute(
            "SELECT regexp_matches(?, ?, 'is')", ['"' + value + '"', pattern]
        ).fetchall()
    except duckdb.InvalidInputException:
        return
    search = PayloadSearch.of_regex(pattern)
    told = ask(search.condition("event"), spell(value, dice), **search.parameters)
    assert [(told,)] == truth


@pytest.mark.parametrize(
    ("pattern", "is_narrowed"),
    [
        (r"order-[0-9]{5}\b", True),
        (r"\b(timeout|refused)\b", True),
        ('"code": ?"E[0-9]+"', True),
        ("^.{3}(?P<name>[[:alpha:]]+?)$", True),
        ("(?-i)CAT", False),
        (r"\Qa.c", False),
        (r"\pL", False),
        ("a**", False),
        (r"(\b)a(\b)", False),
        ("(a", False),
        ("[a", False),
        ("a" * 501, False),
    ],
)
def test_what_is_understood_of_a_regex(pattern: str, is_narrowed: bool) -> None:
    assert bool(PayloadSearch.of_regex(pattern).sent) is is_narrowed


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("x&y", r'{"a":"x\u0026y"}'),
        ("1+1", r'{"a":"1\u002B1"}'),
        ("<b>", r'{"a":"\u003cb\u003E"}'),
        ("it's", r'{"a":"it\u0027s"}'),
        ("a=b", r'{"a":"a\u003db"}'),
        ("plain", r'{"a":"pl\u0061in"}'),
        ("key", r'{"\u004bey":1}'),
        ('size 5" pipe', r'{"a":"size 5\" pipe"}'),
        ('size 5" pipe', r'{"a":"size 5\u0022 pipe"}'),
        ("a/b", r'{"a":"a\/b"}'),
        ("two\nlines", r'{"a":"two\nlines"}'),
        ("C:\\new", r'{"a":"C:\\new"}'),
        ("CAFÉ", r'{"a":"caf\u00e9"}'),
        ("😀", r'{"a":"\ud83d\uDE00"}'),
        ('"a":1.10', '{"a":1.10}'),
    ],
)
def test_however_a_writer_escapes(text: str, payload: str) -> None:
    assert finds(text, payload) is True


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("nfoo", r'{"a":"\nfoo"}'),
        ("u0026", r'{"a":"x\u0026y"}'),
        (r"\n", r'{"a":"\n"}'),
        ("\n", r'{"a":"\\n"}'),
        ("a.c", '{"a":"abc"}'),
    ],
)
def test_an_escape_is_no_text(text: str, payload: str) -> None:
    assert finds(text, payload) is False


def test_what_has_no_text() -> None:
    broken = r'{"a":"\ud800'
    text = f"SELECT {payload_text('event')} FROM (SELECT ? AS event)"
    assert duckdb.execute(text, [broken]).fetchall() == [(broken,)]
    assert duckdb.execute(text, [None]).fetchall() == [(None,)]
