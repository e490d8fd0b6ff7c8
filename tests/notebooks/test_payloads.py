"""Payloads are shown and saved as they were sent, and every path offered leads to a value."""

import io
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pandas as pd
import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")

from notebooks.reading import events, json_tree, widgets
from notebooks.reading.database import Database
from tests.notebooks.databases import rows, with_payloads
from tests.notebooks.test_hostile import SCRIPTS

TABLE = "source_event_summaries"
EXACT = (
    '{"a":100000000000000000.25,"b":1.10,"c":-0,"d":1e400,"e":9007199254740993}',
    '{"a":"\\u00e9\\/\\u0026","a":{"b":[1,2,[]]},"":{},"long":123456789012345678901234567890}',
    '{ "spread" :\t[1,\n  2\r\n], "text": "a\\nb}" }',
    '"}"',
    "-0.0",
    "null",
)
ODD_KEYS = (
    '{"items[0][qty]":2,"items[1][qty]":3,"items":[{"[0]":1}]}',
    '{"":1,"a":{"":2,"*":[{"":3}]},"*":4}',
    '{"/~":{"":1},"\\\\\\"":{"":2},"q\\"":3,"\\\\":4,"a\\"*":5,"a\\u0000b":6}',
    '{"a.b":1,"a b":2,"line\\nbreak":3,"\\u0041":4,"$":5,"é":6,"a*":7,"\'":8,"1":9,"#":10}',
    '[[1,{"x\\"[0]":2}],{"y":null}]',
    '"text"',
)


def selected(tmp_path: Path, *payloads: str | None) -> tuple[Database, events.Selection]:
    file = with_payloads(tmp_path / "payloads.duckdb", TABLE, payloads)
    return Database.find(file), events.Selection(TABLE, "dc_1", "")


def test_files_hold_payloads_as_they_were_sent(tmp_path: Path) -> None:
    database, selection = selected(tmp_path, *EXACT, None)
    (*lines, last, end) = events.file_of(database, selection, "json").decode().split("\n")
    assert end == ""
    for line, text, n in zip(lines, EXACT, range(len(EXACT)), strict=True):
        assert json.loads(line)["id"] == f"{n}000-{n}"
        due = re.sub("[\r\n]", " ", text)
        assert line.endswith(f',"event_state":null,"event":{due}}}'), line
    assert json.loads(last)["event"] is None
    csv = io.BytesIO(events.file_of(database, selection, "csv"))
    parquet = io.BytesIO(events.file_of(database, selection, "parquet"))
    for frame in (pd.read_csv(csv, keep_default_na=False), pd.read_parquet(parquet)):
        # pyarrow 17 reads JSON as bytes.
        texts = [text.decode() if isinstance(text, bytes) else text for text in frame["event"]]
        assert texts[: len(EXACT)] == list(EXACT)


SPELLED = (
    '{"a":"size 5\\" pipe"}',
    '{"a":"a\\/b"}',
    '{"a":"one\\ntwo"}',
    '{"a":"x\\u0026y \\u002B \\u003c"}',
    '{"a":"Caf\\u00c9 \\ud83d\\udd14 100%"}',
    '{"a": "back\\\\slash"}',
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        *(('size 5" pipe', 0), ("a/b", 1), ("one\ntwo", 2), ("X&Y", 3), ("+ <", 3)),
        *(("café \U0001f514", 4), ("100%", 4), ("back\\slash", 5), ('"a": "', 5)),
        *(("u0026", None), ("a\\/b", None), ("1_0%", None), ("s.ze", None)),
    ],
)
def test_a_text_is_found_however_json_spells_it(
    text: str, place: int | None, tmp_path: Path
) -> None:
    database, _ = selected(tmp_path, *SPELLED)
    chosen = events.Selection(TABLE, "dc_1", "", text=text)
    found = events.newest(database, chosen)["id"].to_list()
    assert found == ([] if place is None else [f"{place}000-{place}"])
    assert events.summary(database, chosen)["events"] == len(found)
    assert events.file_of(database, chosen, "json").count(b"\n") == len(found)


@pytest.mark.skipif(duckdb.__version__ < "2", reason="json_tree of DuckDB 1 does not quote keys")
def test_every_path_that_is_offered_leads_to_its_value(tmp_path: Path) -> None:
    database, selection = selected(tmp_path, *ODD_KEYS)
    paths = events.paths(database, selection)
    assert not paths["path"].duplicated().any()
    offered = dict(zip(paths["path"], paths["example"], strict=True))
    for path, example in offered.items():
        values = "[*]" in path
        found = rows(
            database.path,
            f"SELECT {'unnest' if values else ''}(event -> ?)::VARCHAR FROM {TABLE} "
            f"WHERE {'len' if values else ''}(event -> ?) {'> 0' if values else 'IS NOT NULL'}",
            [path, path],
        )
        assert example in [value for (value,) in found], path
    assert {'$."items[0][qty]"', '$."items[1][qty]"', '$.items[*]."[0]"'} <= set(offered)
    assert {p for p in offered if p.startswith("/")} == {
        *("/", "/a/", "/*", "/a/*/0/", "/~1~0/", '/\\"/'),
    }
    assert len(offered) == 27


def shown_text(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "\n", html))


@pytest.mark.parametrize("text", EXACT)
def test_the_tree_shows_each_number_as_it_was_sent(text: str) -> None:
    html = json_tree.tree(text)
    assert html is not None
    lines = shown_text(html).split("\n")
    numbers = re.findall(r"-?\d[\d.e+-]*(?=[,}\]\s]|$)", text)
    for number in numbers:
        assert any(re.fullmatch(rf"(.*: )?{re.escape(number)}", line) for line in lines), number


def test_the_tree_keeps_keys_of_the_same_name() -> None:
    html = json_tree.tree('{"a":1,"a":[],"b":{"c":true,"d":null,"e":"x"}}')
    assert [line for line in shown_text(html or "").split("\n") if line] == [
        *("{3}", '"a": 1', '"a": []', '"b": {3}', '"c": true', '"d": null', '"e": "x"'),
    ]


def test_nothing_of_a_payload_acts_in_the_tree() -> None:
    html = json_tree.tree(json.dumps({text: [text] for text in SCRIPTS}))
    seen: set[tuple[str, tuple[str, ...]]] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.add((tag, tuple(name for name, _ in attrs)))

    Reader().feed(html or "")
    assert seen == {("div", ()), ("div", ("style",)), ("details", ("open",)), ("summary", ())}
    assert not set("\u202e\u2028\u0007") & set(html or "")


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "", "[" + "1," * 900 + "1]", "x"])
def test_a_tree_there_is_only_of_json_that_fits(text: str) -> None:
    assert (json_tree.tree(text) is None) is (text[:2] != "[1")
    assert "As sent" in widgets.json_view(text).text


def test_a_long_list_is_cut_and_too_many_nodes_are_no_tree() -> None:
    html = json_tree.tree(json.dumps(list(range(1_500))))
    assert "… 500 more, see the text as sent" in (html or "")
    assert json_tree.tree(json.dumps([[0] * 200] * 200)) is None
