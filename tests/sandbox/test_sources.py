"""Sources: created, running by their pace, changed, stopped, deleted."""

from __future__ import annotations

import pytest

from pipedream_source.sandbox.content.cron import NotCron, next_minute, parse
from tests.sandbox.examples import RSS

MINUTELY = {"component_url": RSS, "configured_props": {"timer": {"intervalSeconds": 60}}}


def total(send, source_id: str, event_name: str = "") -> int:
    path = f"/sources/{source_id}/event_summaries?limit=1&event_name={event_name}"
    count: int = send("GET", path).body["page_info"]["total_count"]
    return count


def test_a_source_lists_emits_and_owns_events(sandbox, send):
    source = send("POST", "/sources", MINUTELY).data
    assert (source["name"], source["name_slug"]) == ("rss", "rss")
    rows = send("GET", "/users/me/sources?limit=100").data
    assert {n: v for n, v in source.items() if n != "user_id"} in rows
    assert send("GET", f"/sources/{source['id']}").data == source
    assert total(send, source["id"]) == 1
    sandbox.advance(600)
    assert total(send, source["id"]) == 11
    row = send("GET", f"/sources/{source['id']}/event_summaries?expand=event&limit=1").data[0]
    assert {"title", "link"} <= row["event"].keys()
    assert row["metadata"]["emitter_id"] == source["id"]


def test_a_source_may_live_in_a_workspace(sandbox, send):
    for where in (f"/sources?org_id={sandbox.org_id}", f"/sources/?workspace_id={sandbox.org_id}"):
        made = send("POST", where, MINUTELY).data["id"]
        rows = send("GET", f"/orgs/{sandbox.org_id}/sources?limit=100").data
        assert made in {row["id"] for row in rows}
        assert made not in {row["id"] for row in send("GET", "/users/me/sources?limit=100").data}
    body = {**MINUTELY, "org_id": "o_none"}
    assert send("POST", "/sources", body).status == 404


def test_names_become_slugs_that_are_not_taken(send):
    named = {**MINUTELY, "name": "My Feed"}
    assert [send("POST", "/sources", named).data["name_slug"] for _ in range(3)] == [
        *("my-feed", "my-feed-1", "my-feed-2"),
    ]


@pytest.mark.parametrize(("name", "slug"), [("New (Instant)!", "new-instant"), ("…", "source")])
def test_a_slug_has_no_punctuation(send, name, slug):
    assert send("POST", "/sources", {**MINUTELY, "name": name}).data["name_slug"] == slug


def test_the_id_is_preferred_to_code_and_address(send):
    component = send("POST", "/components", {"component_url": RSS}).data
    body = {"component_id": component["id"], "component_code": "x", "component_url": "y"}
    assert send("POST", "/sources", body).data["component_id"] == component["id"]
    by_key = {"component_id": "rss-new-item-in-feed"}
    assert send("POST", "/sources", by_key).data["component_id"] == component["id"]
    assert send("POST", "/sources", {"component_id": "sc_none"}).status == 404


@pytest.mark.parametrize(
    ("props", "says"),
    [
        ({"timer": {"intervalSeconds": 0}}, "intervalSeconds"),
        ({"timer": {"intervalSeconds": "60"}}, "intervalSeconds"),
        ({"timer": {"intervalSeconds": True}}, "intervalSeconds"),
        ({"timer": {"cron": "often"}}, "cron"),
        ({"timer": {"cron": 5}}, "cron"),
        ("secret", "configured_props"),
        ([1], "configured_props"),
    ],
)
def test_wrong_props_are_refused_and_nothing_is_made(send, props, says):
    before = send("GET", "/users/me/sources").body["page_info"]["total_count"]
    answer = send("POST", "/sources", {"component_url": RSS, "configured_props": props})
    assert answer.status == 422
    assert says in answer.body["error"]
    assert send("GET", "/users/me/sources").body["page_info"]["total_count"] == before


def test_timers_and_interfaces_come_back_in_their_stored_form(send):
    cron = {"component_url": RSS, "configured_props": {"timer": {"cron": "0 9 * * 1"}}}
    made = send("POST", "/sources", cron).data["configured_props"]
    assert made["timer"] == {"cron": "0 9 * * 1", "interval_seconds": None}
    default = send("POST", "/sources", {"component_url": RSS}).data["configured_props"]
    assert default["timer"] == {"cron": None, "interval_seconds": 900}
    hook = {"component_id": "http-new-requests"}
    made = send("POST", "/sources", hook).data["configured_props"]
    assert made["http"]["endpoint_url"].startswith("https://")


def test_a_cron_source_runs_when_the_expression_says(sandbox, send):
    body = {"component_url": RSS, "configured_props": {"timer": {"cron": "*/20 * * * *"}}}
    source_id = send("POST", "/sources", body).data["id"]
    sandbox.advance(3600)
    ids = [row["id"] for row in send("GET", f"/sources/{source_id}/event_summaries").data]
    start = sandbox.state()["now_ms"] - 3_600_000
    assert ids[:3] == [f"{start + minutes * 60_000}-0" for minutes in (60, 40, 20)]


def test_an_app_s_source_runs_and_an_http_source_waits(sandbox, send):
    app = send("POST", "/sources", {"component_id": "github-new-repository"}).data["id"]
    hook = send("POST", "/sources", {"component_id": "http-new-requests"}).data["id"]
    sandbox.advance(3600)
    assert total(send, app) > 5
    assert total(send, hook) == 0
    sandbox.emit(hook)
    assert total(send, hook) == 1


def test_a_disabled_source_stops_and_goes_on_when_enabled(sandbox, send):
    source_id = send("POST", "/sources", MINUTELY).data["id"]
    assert send("PUT", f"/sources/{source_id}", {"active": False}).data["active"] is False
    sandbox.advance(600)
    assert total(send, source_id) == 1
    assert send("PUT", f"/sources/{source_id}?active=true").data["active"] is True
    assert total(send, source_id) == 1
    sandbox.advance(600)
    assert total(send, source_id) == 11


def test_an_update_without_active_enables_as_documented(sandbox, send):
    source_id = send("POST", "/sources", MINUTELY).data["id"]
    send("PUT", f"/sources/{source_id}", {"active": False})
    assert send("PUT", f"/sources/{source_id}", {"name": "Renamed"}).data["active"] is True
    sandbox.switch(update_active="kept")
    send("PUT", f"/sources/{source_id}", {"active": "false"})
    changed = send("PUT", f"/sources/{source_id}", {"name": "Again"}).data
    assert (changed["active"], changed["name"], changed["name_slug"]) == (False, "Again", "again")


def test_an_update_without_name_may_take_the_component_s(sandbox, send):
    source = send("POST", "/sources", {**MINUTELY, "name": "Mine"}).data
    place = f"/sources/{source['id']}"
    assert send("PUT", place, {"active": True}).data["name"] == "Mine"
    sandbox.switch(update_name="documented")
    for body, name, slug in (
        ({"active": True}, "rss", "rss"),
        ({"component_id": "http-new-requests"}, "new-requests", "new-requests"),
        ({"name": "Own"}, "Own", "own"),
    ):
        changed = send("PUT", place, body).data
        assert (changed["name"], changed["name_slug"]) == (name, slug)


def test_an_update_without_component_may_be_refused(sandbox, send):
    source = send("POST", "/sources", MINUTELY).data
    place = f"/sources/{source['id']}"
    assert send("PUT", place, {"name": "Accepted"}).data["name"] == "Accepted"
    sandbox.switch(update_without_component="refused")
    refused = send("PUT", place, {"name": "Refused", "active": False})
    assert (refused.status, "component_id" in refused.body["error"]) == (422, True)
    assert send("GET", place).data["name"] == "Accepted"
    for named in ({"component_id": source["component_id"]}, {"component_url": RSS}):
        assert send("PUT", place, {**named, "name": "Again"}).data["name"] == "Again"


def test_an_update_changes_component_props_and_pace(sandbox, send):
    source = send("POST", "/sources", MINUTELY).data
    sandbox.advance(60)
    props = {"timer": {"intervalSeconds": 10}}
    changed = send("PUT", f"/sources/{source['id']}", {"configured_props": props}).data
    assert changed["configured_props"]["timer"]["interval_seconds"] == 10
    assert changed["updated_at"] == source["updated_at"] + 60
    sandbox.advance(100)
    assert total(send, source["id"]) == 12
    swapped = {"component_id": "http-new-requests"}
    changed = send("PUT", f"/sources/{source['id']}", swapped).data
    assert changed["component_id"] != source["component_id"]
    sandbox.advance(600)
    assert total(send, source["id"]) == 12
    for wrong in ({"active": "maybe"}, {"name": 5}, {"component_url": "https://x.example.com"}):
        assert send("PUT", f"/sources/{source['id']}", wrong).status == 422


def test_a_deleted_source_is_gone_with_its_events(sandbox, send):
    source_id = send("POST", "/sources", MINUTELY).data["id"]
    answer = send("DELETE", f"/sources/{source_id}/")
    assert (answer.status, answer.body, "content-type" in answer.headers) == (204, "", False)
    for path in ("", "/event_summaries", "/events"):
        assert send("GET", f"/sources/{source_id}{path}").status == 404
    assert send("DELETE", f"/sources/{source_id}").status == 404
    sandbox.advance(600)


def test_a_deleted_source_may_show_once_more(sandbox, send):
    sandbox.switch(source_deletion="one_read")
    source_id = send("POST", "/sources", MINUTELY).data["id"]
    assert send("DELETE", f"/sources/{source_id}").status == 204

    def listed() -> bool:
        rows = send("GET", "/users/me/sources?limit=100").data
        return source_id in {row["id"] for row in rows}

    assert [listed(), listed()] == [True, False]


@pytest.mark.parametrize("mode", ["one_read", "clock", "at_once"])
def test_deletion_of_events_is_asynchronous(sandbox, send, quiet, mode):
    sandbox.switch(deletion=mode)
    sandbox.emit(quiet, event=1, count=3)
    assert send("DELETE", f"/sources/{quiet}/events").status == 202
    sandbox.emit(quiet, event=2)
    seen = [total(send, quiet), total(send, quiet)]
    sandbox.advance(3)
    seen.append(total(send, quiet))
    assert seen == {"one_read": [4, 1, 1], "clock": [4, 4, 1], "at_once": [1, 1, 1]}[mode]


def test_deletion_takes_all_channels_or_the_named_one(sandbox, send, quiet):
    sandbox.switch(deletion="at_once")
    for channel in ("", "a", "b"):
        sandbox.emit(quiet, channel, event=1)
    send("DELETE", f"/sources/{quiet}/events?event_name=a")
    assert [total(send, quiet, name) for name in ("", "a", "b")] == [1, 0, 1]
    send("DELETE", f"/sources/{quiet}/events?event_name=")
    assert [total(send, quiet, name) for name in ("", "a", "b")] == [0, 0, 1]
    sandbox.emit(quiet, event=1)
    sandbox.switch(delete_without_event_name="default_channel")
    send("DELETE", f"/sources/{quiet}/events")
    assert [total(send, quiet, name) for name in ("", "b")] == [0, 1]
    sandbox.switch(delete_without_event_name="all_channels")
    send("DELETE", f"/sources/{quiet}/events/")
    assert total(send, quiet, "b") == 0


@pytest.mark.parametrize("end", ["start_id", "end_id"])
@pytest.mark.parametrize("given", ["", "yesterday", "12", "1-", "-1", "1-x"])
def test_a_range_without_a_usable_end_deletes_nothing(sandbox, send, quiet, end, given):
    sandbox.switch(deletion="at_once")
    sandbox.emit(quiet, event=1, count=3)
    assert send("DELETE", f"/sources/{quiet}/events?{end}={given}").status == 422
    assert send("DELETE", f"/sources/{quiet}/events", {end: given}).status == 422
    assert send("DELETE", f"/sources/{quiet}/events?start_id=1-0&{end}={given}").status == 422
    assert total(send, quiet) == 3


@pytest.mark.parametrize("query", ["n=2", "limit=2", "n=2&expand=event", "n=2&limit=5"])
def test_the_older_reader(sandbox, send, quiet, query):
    ids = sandbox.emit(quiet, event={"text": "x" * 2000}, count=3)
    rows = send("GET", f"/sources/{quiet}/events?{query}").body
    assert rows.keys() == {"data"}
    now = sandbox.state()["now_ms"]
    event = {"text": "x" * 2000}
    wanted = [{"id": i, "e": event, "ts": now, "k": "emit"} for i in ids[:0:-1]]
    assert rows["data"] == wanted
    assert send("GET", f"/sources/{quiet}/events?n=0").status == 422


def test_cron_expressions():
    monday = 1_793_610_000_000  # 2026-11-02 09:00 UTC
    day, hour = 86_400_000, 3_600_000
    for expression, later in {
        "* * * * *": 60_000,
        "30 9 * * *": hour // 2,
        "0 9 * * *": day,
        "0 9-17/4 * * 1-5": 4 * hour,
        "0 0 * * 7": 6 * day - 9 * hour,
        "0 0 4 * 2": day - 9 * hour,
        "15,45 10 2 11 *": hour + 15 * 60_000,
    }.items():
        assert next_minute(expression, monday) == monday + later, expression
    assert next_minute("0 0 31 2 *", monday) is None
    for wrong in ("* * * *", "60 * * * *", "*/0 * * * *", "5-1 * * * *", "a * * * *", "* * 0 * *"):
        with pytest.raises(NotCron):
            parse(wrong)
