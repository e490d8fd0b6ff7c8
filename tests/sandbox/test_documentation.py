"""The documentation's example requests, sent as it prints them, and the fields it shows."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from tests.sandbox.examples import BASE, COMPONENT, EXAMPLES, PAID_USER, RSS, SOURCE, WEBHOOK

# What a user's own data or code decides.
OPEN = {"configured_props", "configurable_props", "original_event"}
NULLABLE = {"name", "description"}
CODE = """
export default {
  key: "my-component", name: "rss", version: "0.0.1",
  props: { url: { type: "string", label: "Feed URL", description: "A feed." } },
  async run() {},
};
"""


def curl(command: str, *, key: str, ids: dict[str, str]) -> tuple[str, str, bytes, dict[str, str]]:
    """Read a printed command as curl does: method, target, body and headers.

    The shell's quotes are undone, but no `$` is expanded: it goes over the wire as it is.
    """
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, target, body, headers = "", "", b"", {"Accept": "*/*", "User-Agent": "curl/8.5.0"}
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = re.sub("<api.key>", key, value)
        elif word == "-d":
            body = next(words).encode()
        else:
            target = word.removeprefix(BASE)
    for printed, real in ids.items():
        target = target.replace(printed, real)
    return method or ("POST" if body else "GET"), target, body, headers


def misfits(shown: Any, example: Any, place: str = "") -> list[str]:
    """List what an example has and an answer has not, or has of another JSON type."""
    name = place.rpartition(".")[2]
    if name in NULLABLE and None in (shown, example):
        return []
    if type(shown) is not type(example):
        return [f"{place}: {type(shown).__name__}, not {type(example).__name__}"]
    if isinstance(example, dict) and name not in OPEN:
        absent = [f"{place}.{n} is absent" for n in example.keys() - shown.keys()]
        there = example.keys() & shown.keys()
        inside = [misfits(shown[n], example[n], f"{place}.{n}") for n in sorted(there)]
        return sum(inside, absent)
    if isinstance(example, list) and name not in OPEN:
        return misfits(shown[0], example[0], f"{place}[]") if shown else [f"{place} is empty"]
    return []


@pytest.fixture
def printed(sandbox, send, ids):
    """The objects that the examples name, and the ids that the server chose for some."""
    org = sandbox.org_id
    for name in ("dc_abc123", "dc_def456"):
        sandbox.add_emitters(1, id=name, kind="http", org_id=org)
    sandbox.add_emitters(1, id="p_abc123", type="workflow", kind="result", org_id=org)
    for millisecond in (7, 8, 9):
        sandbox.emit("dc_abc123", event=millisecond, id=f"158948698159{millisecond}-0")
    sandbox.emit("p_abc123", event={"raw_event": {"name": "Luke", "title": "Jedi"}})
    sandbox.emit("p_abc123", "$errors")
    send("POST", "/components", {"component_code": CODE})
    send("POST", "/subscriptions?emitter_id=dc_abc123&listener_id=p_abc123")
    webhook = send("POST", f"/webhooks?url={WEBHOOK['url']}").data["id"]
    return {"o_abc123": org, "wh_abc123": webhook}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_answered_as_printed(sandbox, send, printed, name):
    command, status, example = EXAMPLES[name]
    method, target, body, headers = curl(command, key=sandbox.api_key, ids=printed)
    answer = send(method, target, body or None, **headers)
    assert answer.status == status, answer.body
    if example is None:
        assert answer.body == ""
        return
    assert misfits(answer.body, example) == [], json.dumps(answer.body)[:900]


def test_what_differs_is_found():
    example = {"id": "x", "n": [{"a": 1}], "name": None}
    assert misfits(example, example) == []
    assert misfits({"id": 1, "n": [], "name": "y"}, example) == [".id: int, not str", ".n is empty"]
    assert misfits({"id": "x", "n": [{}]}, example) == [".name is absent", ".n[].a is absent"]


def test_a_paid_user_is_shown_as_printed(sandbox, send):
    sandbox.switch(user_plan="paid")
    shown = send("GET", "/users/me").body
    assert misfits(shown, PAID_USER) == []
    assert shown["data"].keys() == PAID_USER["data"].keys()


def test_the_rss_component_is_the_printed_one(send):
    made = send("POST", "/components", {"component_url": RSS}).data
    for field in ("name", "version", "configurable_props"):
        assert made[field] == COMPONENT["data"][field]


def test_the_created_source_has_the_printed_values(send):
    body: dict[str, Any] = {"component_url": RSS, "name": "your-name-here"}
    body["configured_props"] = {
        "url": "https://rss.m.pipedream.net",
        "timer": {"intervalSeconds": 60},
    }
    made = send("POST", "/sources/", body).data
    for field in ("configured_props", "active", "name", "name_slug"):
        assert made[field] == SOURCE["data"][field]
    assert list(made) == list(SOURCE["data"])


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("start_id=1589486981598-0", [7]),
        ("end_id=1589486981598-0", [9]),
        ("start_id=1589486981598-0&end_id=1589486981598-0", [9, 7]),
        ("", []),
    ],
)
def test_the_printed_ranges_are_deleted(send, printed, query, left):
    target = "/sources/dc_abc123/event_summaries"
    assert send("DELETE", f"/sources/dc_abc123/events?{query}").status == 202
    assert [row["event"] for row in send("GET", target).data] == [9, 8, 7]
    assert [row["event"] for row in send("GET", target).data] == left
