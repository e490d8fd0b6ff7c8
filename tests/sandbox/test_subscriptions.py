"""Subscriptions: their answers, and the events that they deliver."""

from __future__ import annotations

import pytest

from tests.sandbox.examples import RSS


def subscribe(send, emitter: str, listener: str, event_name: str = "") -> dict[str, str]:
    target = f"/subscriptions?emitter_id={emitter}&listener_id={listener}&event_name={event_name}"
    (record,) = send("POST", target).data
    return record


def events(send, emitter: str, channel: str = "") -> list:
    kind = "sources" if emitter.startswith("dc_") else "workflows"
    path = f"/{kind}/{emitter}/event_summaries?limit=100&expand=event&event_name={channel}"
    return [row["event"] for row in send("GET", path).data]


@pytest.fixture
def workflow(sandbox) -> str:
    made: str = sandbox.add_emitters(1, type="workflow", kind="result", org_id=sandbox.org_id)[0]
    return made


def test_created_listed_and_deleted(sandbox, send, quiet, workflow):
    made = subscribe(send, quiet, workflow)
    assert made == {
        **{"id": made["id"], "emitter_id": quiet},
        **{"listener_id": workflow, "event_name": ""},
    }
    assert subscribe(send, quiet, workflow) == made
    for path in ("/users/me", f"/workspaces/{sandbox.org_id}", f"/orgs/{sandbox.org_id}"):
        assert made in send("GET", f"{path}/subscriptions").data
    target = f"/subscriptions?emitter_id={quiet}&listener_id={workflow}"
    gone = send("DELETE", target, Content_Type="application/json")
    assert (gone.status, gone.data) == (200, [made])
    assert made not in send("GET", "/users/me/subscriptions").data
    again = send("DELETE", target)
    assert (again.status, again.body) == (404, {"error": "record not found"})


def test_a_workspace_s_subscription_is_in_its_list_only(sandbox, send, quiet, workflow):
    body = {"emitter_id": quiet, "listener_id": workflow, "org_id": sandbox.org_id}
    (made,) = send("POST", "/subscriptions/", body).data
    assert made in send("GET", f"/workspaces/{sandbox.org_id}/subscriptions").data
    assert made not in send("GET", "/users/me/subscriptions").data


def test_a_channel_is_part_of_it(send, quiet, workflow):
    made = subscribe(send, quiet, workflow, "$errors")
    target = f"/subscriptions?emitter_id={quiet}&listener_id={workflow}"
    assert send("DELETE", target).status == 404
    assert send("DELETE", target + "&event_name=%24errors").data == [made]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("emitter_id=dc_none&listener_id={workflow}", 404),
        ("emitter_id={quiet}&listener_id=p_none", 404),
        ("emitter_id={quiet}&listener_id=wh_none", 404),
        ("emitter_id=o_none&listener_id={workflow}", 404),
        ("emitter_id=sc_*&listener_id={workflow}", 404),
        ("listener_id={workflow}", 422),
        ("emitter_id={quiet}", 422),
        ("", 422),
    ],
)
def test_what_cannot_be_subscribed_is_refused(send, quiet, workflow, query, status):
    target = "/subscriptions?" + query.format(quiet=quiet, workflow=workflow)
    assert send("POST", target).status == status
    assert send("DELETE", target).status == status


def test_a_listening_workflow_has_events_of_its_own(sandbox, send, quiet, workflow):
    subscribe(send, quiet, workflow)
    sandbox.emit(quiet, event={"name": "Luke"})
    sandbox.emit(quiet, "other", event=1)
    assert events(send, workflow) == [{"raw_event": {"name": "Luke"}}]


def test_a_failing_workflow_throws_over_the_event(sandbox, send, quiet, workflow):
    subscribe(send, quiet, workflow)
    digest = sandbox.add_emitters(1, type="workflow", kind="result")[0]
    subscribe(send, workflow, digest, "$errors")
    sandbox.control("POST", "listeners", {"emitter_id": workflow, "on_event": "fail"})
    sandbox.emit(quiet, event={"name": "Luke"})
    (error,) = events(send, workflow, "$errors")
    assert error["original_event"] == {"name": "Luke"}
    context = error["original_context"]
    assert (context["workflow_id"], context["emitter_id"]) == (workflow, quiet)
    assert {"id", "ts", "deployment_id", "owner_id", "verified"} <= context.keys()
    assert {"code", "cellId", "ts", "stack"} <= error["error"].keys()
    assert events(send, workflow) == []
    assert events(send, digest) == [{"raw_event": error}]


def test_a_listener_may_ignore_events(sandbox, send, quiet):
    deaf = sandbox.add_emitters(1, type="workflow", kind="result", on_event="ignore")[0]
    subscribe(send, quiet, deaf)
    sandbox.emit(quiet, event=1)
    assert events(send, deaf) == []


def test_a_listening_source_emits_the_event_anew_unless_disabled(sandbox, send, quiet):
    relay = sandbox.add_emitters(1)[0]
    subscribe(send, quiet, relay)
    sandbox.emit(quiet, event=[1, None])
    assert events(send, relay) == [[1, None]]
    send("PUT", f"/sources/{relay}", {"active": False})
    sandbox.emit(quiet, event=2)
    assert events(send, relay) == [[1, None]]


def test_created_sources_deliver_what_they_emit_by_themselves(sandbox, send, workflow):
    body = {"component_url": RSS, "configured_props": {"timer": {"intervalSeconds": 60}}}
    source = send("POST", "/sources", body).data["id"]
    subscribe(send, source, workflow)
    sandbox.advance(300)
    assert [event["raw_event"] for event in events(send, workflow)] == events(send, source)[:-1]


@pytest.mark.parametrize("glob", ["p_*", "dc_*"])
def test_globs_reach_all_of_a_kind_and_later_ones(sandbox, send, quiet, workflow, glob):
    listener = sandbox.add_emitters(1, type="workflow", kind="result")[0]
    subscribe(send, glob, listener, "x")
    later = sandbox.add_emitters(1, org_id=sandbox.org_id)[0]
    for number, emitter in enumerate((quiet, workflow, later)):
        sandbox.emit(emitter, "x", event=number)
    heard = [event["raw_event"] for event in events(send, listener)]
    assert heard == ([1] if glob == "p_*" else [2, 0])


def test_a_workspace_or_user_as_emitter(sandbox, send, quiet, ids):
    listener = sandbox.add_emitters(1, type="workflow", kind="result")[0]
    subscribe(send, sandbox.org_id, listener, "x")
    sandbox.emit(quiet, "x", event="here")
    sandbox.emit(ids["Leads sheet"], "x", event="elsewhere")
    assert events(send, listener) == [{"raw_event": "here"}]
    user = send("GET", "/users/me").data["id"]
    subscribe(send, user, listener, "y")
    sandbox.emit(ids["Company blog"], "y", event="mine")
    assert events(send, listener)[0] == {"raw_event": "mine"}


def test_auto_subscriptions_apply_to_later_emitters(sandbox, send, quiet, workflow):
    made = send("POST", f"/auto_subscriptions?event_name=$errors&listener_id={workflow}")
    assert (made.status, made.data[0]["event_name"]) == (200, "$errors")
    later = sandbox.add_emitters(1)[0]
    created = send("POST", "/sources", {"component_url": RSS}).data["id"]
    listed = send("GET", "/users/me/subscriptions").data
    assert [s["emitter_id"] for s in listed if s["listener_id"] == workflow][1:] == [later, created]
    for emitter in (quiet, later, created):
        sandbox.emit(emitter, "$errors", event=emitter)
    assert [event["raw_event"] for event in events(send, workflow)] == [created, later]
    auto = f"/subscriptions?emitter_id={made.data[0]['emitter_id']}&listener_id={workflow}"
    assert send("DELETE", auto + "&event_name=$errors").data == made.data
    assert send("POST", f"/auto_subscriptions?listener_id={workflow}").status == 422
    assert send("POST", "/auto_subscriptions?event_name=$errors").status == 422


def test_loops_are_stopped_and_noted(sandbox, send):
    one, two = sandbox.add_emitters(2)
    subscribe(send, one, two)
    subscribe(send, two, one)
    subscribe(send, one, one)
    sandbox.emit(one, event=1)
    assert 1 <= len(events(send, one)) <= 4
    assert any(entry["outcome"] == "stopped: loop" for entry in sandbox.deliveries())


def test_one_event_causes_a_bounded_number_of_deliveries(sandbox, send):
    made = sandbox.add_emitters(12)
    for emitter in made:
        for listener in made:
            subscribe(send, emitter, listener)
    sandbox.emit(made[0], event=1)
    assert sum(len(events(send, emitter)) for emitter in made) <= 1001
    assert any(entry["outcome"] == "stopped: too many" for entry in sandbox.deliveries())


def test_a_source_may_listen_to_itself_and_queue_emits(sandbox, send, quiet):
    subscribe(send, quiet, quiet, "self")
    sandbox.emit(quiet, "self", event="later", delay_s=60)
    assert events(send, quiet, "$in") == ["later"]
    assert events(send, quiet) == []
    sandbox.advance(61)
    assert events(send, quiet, "$in") == []
    assert (events(send, quiet, "self"), events(send, quiet)) == (["later"], ["later"])
    sandbox.emit(quiet, event="never", delay_s=60)
    send("DELETE", f"/sources/{quiet}/events?event_name=$in")
    assert events(send, quiet, "$in") == ["never"]
    assert events(send, quiet, "$in") == []
    sandbox.advance(61)
    assert events(send, quiet) == ["later"]


def test_emits_use_up_credits_until_midnight(sandbox, send, quiet, ids):
    def used() -> tuple[int, int]:
        user = send("GET", "/users/me").data
        return user["orgs"][0]["daily_credits_used"], user["daily_invocations_used"]

    credits, invocations = used()
    sandbox.emit(quiet, event=1, count=5)
    sandbox.emit(ids["Company blog"], event=1, count=3)
    assert used() == (credits + 5, invocations + 3)
    shown = send("GET", f"/workspaces/{sandbox.org_id}").data["daily_credits_used"]
    assert shown == credits + 5
    sandbox.advance(15 * 3600 + 1)
    assert used()[0] < 5


def test_a_deleted_object_takes_its_subscriptions_along(sandbox, send, workflow):
    source = send("POST", "/sources", {"component_url": RSS}).data["id"]
    made = subscribe(send, source, workflow)
    send("DELETE", f"/sources/{source}")
    assert made not in send("GET", "/users/me/subscriptions").data
