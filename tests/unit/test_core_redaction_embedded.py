"""Credentials in JSON that stands within a text, however it is wrapped."""

import json

import pytest

from pipedream_source.core.text.redaction import redact_object

SECRET = "hunter2"
BODY = json.dumps({"password": SECRET, "n": 1})
WRAPPED = {
    "line feed": f"\n{BODY}",
    "byte order mark": f"\ufeff\n {BODY}",
    "no-break space": f"\u00a0{BODY}",
    "array": f" \r\n\t[{BODY}]",
    "twice": json.dumps(BODY),
    "three times": f"  {json.dumps(json.dumps(BODY))}",
    "in JSON in JSON": json.dumps({"b": json.dumps({"c": f"\n{BODY}"})}),
    "a log's line": f"sent body: {BODY} ok",
    "lines": f"{BODY}\n{BODY}",
    "a credential's leaves": '{"auth":{"x":"hunter2"}}\n{"a":1}',
    "behind other brackets": f"[1] [x {{{BODY}",
    "form": "password=hunter2&x=1",
    "form, second": "x=1&password=hunter2",
    "percent-encoded": "body=%7B%22password%22%3A+%22hunter2%22%7D",
    "cut short": BODY[:-2],
    "cut in the secret": '{"a":1,"password":"hunter2',
    "escaped and cut": "x " + json.dumps(BODY)[1:-3],
    "a member alone": '"password" : "hunter2" }',
    "an escaped quote": r'{"password":"a\"hunter2","b":',
}
# Nothing to hide: not a byte changes.
HARMLESS = [
    *("plain", "{not json}", "a [b] c", ' {"a":1.0}\n', '{"a":1} {"b":2}', "100%25 sure", "[]"),
    *("x=1&y=2", '"quoted"', 'say "hi": "there"', "https://a.example/b?c=d%20e", "%7B%22a%22%3A1"),
    "{" * 5_000,
]


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED)
def test_it_is_redacted(text: str) -> None:
    shown = redact_object({"p": text})["p"]
    assert SECRET not in shown
    assert "[redacted]" in shown
    assert redact_object({"p": shown})["p"] == shown
    salted = redact_object({"p": text}, "salt")["p"]
    assert SECRET not in salted
    assert redact_object({"p": salted}, "salt")["p"] == salted


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact_object({"p": text}) == {"p": text}
