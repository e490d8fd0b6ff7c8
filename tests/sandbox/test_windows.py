"""Windows: eviction, ids, truncation, paging under every switch, strange events."""

from __future__ import annotations

import itertools
import json

import pytest

from pipedream_source.sandbox.protocol.switches import allowed_values

CURSORS = ("empty_cursors", "end_cursor", "excluded_count")
CURSOR_SETTINGS = [
    dict(zip(CURSORS, values, strict=True))
    for values in itertools.product(*(allowed_values()[name] for name in CURSORS))
]


def rows_of(get, source, **params):
    page = get(f"/sources/{source}/event_summaries", **{"limit": 100, "expand": "event"} | params)
    return page.json()["data"]


def test_the_hundred_and_first_event_evicts_the_first(get, sandbox, quiet):
    first = sandbox.emit(quiet, event=0)
    rest = sandbox.emit(quiet, event=1, count=100)
    shown = [row["id"] for row in rows_of(get, quiet)]
    assert shown == rest[::-1]
    assert first[0] not in shown
    channels = next(e for e in sandbox.state()["emitters"] if e["id"] == quiet)["channels"]
    assert channels[""] == {
        "emitted": 101,
        "retained": 100,
        "oldest_id": rest[0],
        "newest_id": rest[-1],
    }


def test_channels_evict_apart(get, sandbox, quiet):
    sandbox.emit(quiet, "a", event=1)
    sandbox.emit(quiet, "b", event=1, count=150)
    assert len(rows_of(get, quiet, event_name="a")) == 1
    assert len(rows_of(get, quiet, event_name="b")) == 100


def test_ids_rise_within_one_millisecond_and_over_time(sandbox, quiet):
    now = sandbox.state()["now_ms"]
    assert sandbox.emit(quiet, event=1, count=12) == [f"{now}-{n}" for n in range(12)]
    sandbox.advance(0.001)
    assert sandbox.emit(quiet, event=1) == [f"{now + 1}-0"]
    assert sandbox.emit(quiet, "other", event=1) == [f"{now + 1}-0"]


def test_spread_ends_now(sandbox, quiet):
    now = sandbox.state()["now_ms"]
    ids = sandbox.emit(quiet, event=1, count=5, spread_s=10)
    assert ids == [f"{now - back}-0" for back in (8000, 6000, 4000, 2000, 0)]


def test_forced_ids(get, sandbox, quiet):
    now = sandbox.state()["now_ms"]
    ahead = f"{now + 30 * 86_400_000}-0"
    assert sandbox.emit(quiet, event=1, id=ahead) == [ahead]
    assert sandbox.emit(quiet, event=2, id="5-9", count=2) == ["5-9", "5-10"]
    assert sandbox.emit(quiet, event=3) == [f"{now}-0"]
    assert sandbox.emit(quiet, event=4, id=f"{now}-8") == [f"{now}-8"]
    assert sandbox.emit(quiet, event=5, id="not an id") == ["not an id"]
    assert sandbox.emit(quiet, event=6, id=f"{now}-8") == [f"{now}-8"]
    assert [row["event"] for row in rows_of(get, quiet)] == [1, 5, 6, 4, 3, 2, 2]
    assert len(rows_of(get, quiet, after="not an id")) == 5


def test_deleting_keeps_ids_rising(get, sandbox, quiet):
    ids = sandbox.emit(quiet, event=1, count=5)
    assert sandbox.delete(quiet, start_id=ids[1], end_id=ids[2]) == 2
    assert [row["id"] for row in rows_of(get, quiet)] == [ids[4], ids[3], ids[0]]
    assert sandbox.delete(quiet, start_id=ids[4]) == 1
    assert sandbox.delete(quiet, end_id=ids[0]) == 1
    assert sandbox.delete(quiet) == 1
    assert rows_of(get, quiet) == []
    assert sandbox.emit(quiet, event=1)[0].endswith("-5")


@pytest.mark.parametrize("after", allowed_values()["after"])
@pytest.mark.parametrize("order", allowed_values()["order"])
def test_paging_under_every_switch(get, sandbox, quiet, order, after):
    emitted = sandbox.emit(quiet, event=1, count=7)
    for cursors in CURSOR_SETTINGS:
        settings = {"order": order, "after": after, **cursors}
        sandbox.switch(**settings)
        check_walk(walk(get, quiet), emitted, settings)


def walk(get, quiet):
    """Follow the end cursors as a careful client does, and return all pages."""
    pages, cursor = [], None
    for _ in range(12):
        params: dict[str, str] = {"after": cursor} if cursor else {}
        page = get(f"/sources/{quiet}/event_summaries", limit=3, **params).json()
        pages.append(page)
        cursor = page["page_info"].get("end_cursor")
        if not page["data"] or cursor is None:
            break
    return pages


def check_walk(pages, emitted, settings):
    for page in pages:
        assert ("excluded_count" in page["page_info"]) == (settings["excluded_count"] == "present")
    shown = [[row["id"] for row in page["data"]] for page in pages]
    if settings["after"] == "ignored":
        assert all(ids == shown[0] for ids in shown)
        return
    seen = list(dict.fromkeys(itertools.chain(*shown)))
    assert sorted(seen) == emitted
    assert {"newest": emitted[::-1], "oldest": emitted}.get(settings["order"], seen) == seen
    if settings["after"] == "inclusive":
        assert shown[1][0] == shown[0][-1]
    elif settings["end_cursor"] == "set":
        last = pages[-1]["page_info"]
        assert pages[-1]["data"] == []
        assert ("end_cursor" in last) == (settings["empty_cursors"] == "null")
    else:
        assert ("end_cursor" in pages[-1]["page_info"]) == (settings["end_cursor"] == "null")


@pytest.mark.parametrize("order", allowed_values()["order"])
def test_before_is_the_mirror_of_after(get, sandbox, quiet, order):
    sandbox.switch(order=order)
    sandbox.emit(quiet, event=1, count=9)
    shown = [row["id"] for row in rows_of(get, quiet)]
    after = [row["id"] for row in rows_of(get, quiet, after=shown[2], limit=3)]
    before = [row["id"] for row in rows_of(get, quiet, before=shown[6], limit=3)]
    assert after == before == shown[3:6]


def test_a_cursor_of_an_evicted_row_still_has_a_place(get, sandbox, quiet):
    old = sandbox.emit(quiet, event=1)[0]
    sandbox.emit(quiet, event=1, count=100)
    assert rows_of(get, quiet, after=old) == []
    assert len(rows_of(get, quiet, before=old)) == 100


def test_limit_is_clamped_or_refused(get, sandbox, ids):
    path = f"/sources/{ids['Sensor gateway']}/event_summaries"
    assert get(path, limit=1000).json()["page_info"]["count"] == 100
    sandbox.switch(limit_over_100="reject")
    assert get(path, limit=101).status_code == 422
    assert get(path, limit=100).status_code == 200


def test_events_over_1_kb_are_cut_without_expand(get, sandbox, quiet):
    fits, over = "x" * 1022, "é" * 600
    sandbox.emit(quiet, event=fits)
    sandbox.emit(quiet, event=over)
    path = f"/sources/{quiet}/event_summaries"
    whole = get(path, expand="event").json()["data"]
    assert [row["event"] for row in whole] == [over, fits]
    brief = get(path).json()["data"]
    assert list(brief[0]) == ["id", "indexed_at_ms", "metadata"]
    assert brief[1]["event"] == fits
    sandbox.switch(brief="no_metadata")
    assert list(get(path).json()["data"][0]) == ["id", "indexed_at_ms"]
    sandbox.switch(brief="cut")
    assert json.dumps(over)[:50] in get(path).json()["data"][0]["event"]
    assert len(get(path).json()["data"][0]["event"].encode()) <= 1024


FIELDS = ("id", "indexed_at_ms", "event", "metadata")
SUBSETS = [names for size in range(1, 5) for names in itertools.combinations(FIELDS, size)]


@pytest.mark.parametrize("brief", allowed_values()["brief"])
def test_every_choice_of_fields(get, sandbox, quiet, brief):
    sandbox.switch(brief=brief)
    sandbox.emit(quiet, event={"text": "é" * 600}, metadata={"a": [1, "},"]}, id="12-0")
    sandbox.emit(quiet, event=[], id='no "id",')
    path = f"/sources/{quiet}/event_summaries"
    for expand in ("event", ""):
        whole = get(path, expand=expand).json()["data"]
        assert [row["id"] for row in whole] == ['no "id",', "12-0"]
        for names in (*SUBSETS, ("event", "none"), ("none",)):
            picked = [{n: row[n] for n in FIELDS if n in names and n in row} for row in whole]
            left = [{n: v for n, v in row.items() if n not in names} for row in whole]
            for rule, wanted in (("include", picked), ("exclude", left)):
                shown = get(path, expand=expand, **{rule: ",".join(names)}).json()["data"]
                assert shown == wanted
                assert [list(row) for row in shown] == [list(row) for row in wanted]


def test_a_call_without_event_name_may_return_custom_channels(get, sandbox, ids):
    sandbox.switch(default_read="custom_too")
    source = ids["Shop orders"]
    names = {row["metadata"]["name"] for row in rows_of(get, source)}
    assert names >= {"", "order.placed"}
    assert {row["metadata"]["name"] for row in rows_of(get, source, event_name="")} == {""}
    logs = {row["metadata"]["name"] for row in rows_of(get, ids["Company blog"])}
    assert logs == {""}


def test_event_name_may_be_ignored(get, sandbox, ids):
    sandbox.switch(event_name="ignored")
    rows = rows_of(get, ids["Shop orders"], event_name="order.placed")
    assert {row["metadata"]["name"] for row in rows} == {""}


def test_metadata_of_errors_may_be_nested(get, sandbox, ids):
    sandbox.switch(errors_metadata="nested")
    path = f"/workflows/{ids['Order fulfilment']}/$errors/event_summaries"
    row = get(path, limit=1, expand="event").json()["data"][0]
    assert list(row) == ["id", "indexed_at_ms", "event"]
    assert row["event"]["metadata"]["name"] == "$errors"


def test_subscriptions_may_come_in_pages(get, sandbox):
    sandbox.switch(subscriptions="paginated")
    body = get(f"/workspaces/{sandbox.org_id}/subscriptions", limit=2).json()
    assert body["page_info"]["total_count"] == 5
    assert len(body["data"]) == 2


def test_the_key_may_stand_in_users_me(get, sandbox):
    sandbox.switch(user_api_key="present")
    assert get("/users/me").json()["data"]["api_key"] == sandbox.api_key


@pytest.mark.parametrize(
    ("style", "body"),
    [
        ("text", "Unauthorized"),
        ("empty", ""),
        ("html", "<!DOCTYPE html><html><body><h1>401</h1></body></html>"),
        ("echo", '{"error":"invalid API key: nope"}'),
    ],
)
def test_bodies_of_a_401(sandbox, session, style, body):
    sandbox.switch(unauthorized_body=style)
    headers = {"Authorization": "Bearer nope"}
    response = session.get(f"{sandbox.url}/users/me", headers=headers, timeout=60)
    assert (response.status_code, response.text) == (401, body)


STRANGE = [
    "1e400",
    "-0",
    '{ "a" : 1,\n "a":2 }',
    '"\\u0000"',
    '"\\ud83d\\ude00 é"',
    "null",
    "[]",
    "123456789012345678901234567890",
    '{"_dlt_load_id":1,"A":1,"a":2}',
]


NO_JSON = ['"\\ud83d"', "NaN", '{"a":[-Infinity,"\\udc00 \\"],}"]}', "[" * 5000 + "]" * 5000]


@pytest.mark.parametrize("text", [*STRANGE, *NO_JSON])
def test_an_event_is_kept_byte_for_byte(get, sandbox, session, quiet, text):
    body = f'{{"emitter_id":"{quiet}","event": {text} ,"count":2}}'.encode()
    session.post(
        f"{sandbox.control_url}/emit",
        data=body,
        headers={"X-Sandbox-Key": sandbox.control_key},
        timeout=60,
    ).raise_for_status()
    raw = get(f"/sources/{quiet}/event_summaries", expand="event").text
    assert raw.count(f'"event":{text},"metadata":') == 2


@pytest.mark.parametrize("text", [*STRANGE, "NaN", '"\\ud83d"', "[" * 5000, "{", ""])
def test_an_event_text_need_not_be_json(get, sandbox, quiet, text):
    sandbox.emit(quiet, event_text=text)
    raw = get(f"/sources/{quiet}/event_summaries", expand="event").text
    assert f'"event":{text},"metadata":' in raw


def test_python_s_own_strange_values_are_events(get, sandbox, quiet):
    sandbox.emit(quiet, event="\ud83d", metadata={"name": "\ud83d"})
    sandbox.emit(quiet, event=float("nan"))
    made = sandbox.add_emitters(1, events=1, event=[float("inf")])[0]
    raw = get(f"/sources/{quiet}/event_summaries", expand="event").text
    assert '"event":"\\ud83d","metadata":{"name": "\\ud83d"}' in raw
    assert '"event":NaN,"metadata":' in raw
    assert '"event":[Infinity]' in get(f"/sources/{made}/event_summaries").text


def test_a_row_can_be_anything(get, sandbox, quiet):
    texts = ['{"id":"../x","event":1}', '{"id":null}', "{}", "7", '{"id":"3-1","extra":{}}', "{"]
    ids = [sandbox.emit(quiet, row_text=text)[0] for text in texts]
    assert (ids[0], ids[4]) == ("../x", "3-1")
    raw = get(f"/sources/{quiet}/event_summaries", limit=100, include="id").text
    assert all(text in raw for text in texts)
    assert '"total_count":6' in raw


def test_metadata_can_be_given(get, sandbox, quiet):
    sandbox.emit(quiet, event=1, metadata=None)
    sandbox.emit(quiet, event=1, metadata={"name": 3}, indexed_at_ms=5)
    newest, oldest = rows_of(get, quiet)
    assert newest["metadata"] == {"name": 3}
    assert newest["indexed_at_ms"] == 5
    assert oldest["metadata"] is None
