"""Names of fields lead where they say, in parsed objects and in JSON as it was sent."""

import json
from typing import Any

import pytest

from pipedream_source.cli.output.fields import MISSING, field_of, last_part, names_in, scalar
from pipedream_source.core.text.sent_json import SentJson

EVENT = {
    "a": {"b": "nested", "c.d": 1},
    "a.b": "dotted",
    "x.y": {"z": "deep"},
    'say "hi"': {"": 2},
    "": {"e": 3},
    "n": None,
    "list": [1],
}
TEXT = json.dumps(EVENT).replace("nested", "\\u006eested")


@pytest.mark.parametrize("event", [EVENT, SentJson(TEXT), SentJson(f"\n {TEXT}\t")])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event.a.b", "nested"),
        ('event."a"."b"', "nested"),
        ('event."a.b"', "dotted"),
        ("event.x.y.z", "deep"),
        ('event."x.y".z', "deep"),
        ('event."x.y.z"', MISSING),
        ("event.a.c.d", 1),
        ('event.a."c.d"', 1),
        ('event."say \\"hi\\"".', 2),
        ("event..e", 3),
        ('event."".e', 3),
        ("event.n", None),
        ("event.n.o", MISSING),
        ("event.list.0", MISSING),
        ("event.a.b.c", MISSING),
        ("nosuch.a", MISSING),
        ("event.a.b literally", MISSING),
    ],
)
def test_where_a_name_leads(event: Any, name: str, value: Any) -> None:
    assert scalar(field_of({"event": event}, name)) == value


def test_a_field_of_its_own_goes_first() -> None:
    row = {"event.a": 1, 'max("a.b")': 2, "event": {"a": 3}}
    assert [field_of(row, name) for name in row] == [1, 2, {"a": 3}]


def test_of_a_key_that_stands_twice_the_first_counts() -> None:
    assert scalar(field_of(SentJson('{"a":1,"a":2}'), "a")) == 1


def test_commas_within_quotes_are_part_of_a_name() -> None:
    names = names_in(' id, event."a,b".c ,,"x""y",open"')
    assert names == ["id", 'event."a,b".c', '"x""y"', 'open"']
    assert [last_part(name) for name in names] == ["id", "c", '"x""y"', 'open"']
