"""The verbs that make and change something: what they send, and that a dry run sends nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import Command, id_of
from tests.integration.invoking import Invoker

FEED = (
    "https://github.com/PipedreamHQ/pipedream/blob/master/components/rss/sources/"
    "new-item-in-feed/new-item-in-feed.js"
)
CODE = """\
export default {
  key: "my-component", name: "Mine", version: "0.0.1",
  props: { http: "$.interface.http" },
  async run(event) { this.$emit(event) },
}
"""
PROPS = {"url": "https://rss.m.pipedream.net", "timer": {"intervalSeconds": 60}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def verbs(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoker:
    monkeypatch.chdir(tmp_path)
    sandbox.reset()
    sandbox.control("DELETE", "journal")
    (tmp_path / "feed.json").write_text(json.dumps(PROPS))
    (tmp_path / "mine.mjs").write_text(CODE)
    return Invoker(Command(tmp_path, sandbox))


def names(verbs: Invoker) -> dict[str, dict]:
    return {source["name"]: source for source in verbs.json("sources", "list")}


def test_a_source_of_an_address(verbs: Invoker) -> None:
    made = verbs.json("sources", "create", "--url", FEED, "--name", "feed", "--props", "feed.json")
    assert made["configured_props"]["url"] == PROPS["url"]
    assert made["configured_props"]["timer"]["interval_seconds"] == 60
    assert names(verbs)["feed"]["id"] == made["id"]


def test_a_source_of_code_in_a_workspace(verbs: Invoker, sandbox: Sandbox) -> None:
    words = ("create", "--code", "mine.mjs", "--name", "mine", "--props", "-")
    made = verbs.run(
        "sources", *words, "--org-id", sandbox.org_id, "--jsonl", stdin='http = "x"\n[a]\nb = 1\n'
    )
    source = json.loads(made.out)
    assert source["configured_props"]["a"] == {"b": 1}
    listed = verbs.json("sources", "list", "--workspace-id", sandbox.org_id)
    assert source["id"] in [item["id"] for item in listed]
    assert "mine" not in names(verbs)


def test_a_component_and_a_source_of_it(verbs: Invoker) -> None:
    component = verbs.json("components", "create", "--code", "mine.mjs")
    assert (component["name"], component["version"]) == ("Mine", "0.0.1")
    assert verbs.json("components", "get", "my-component")["id"] == component["id"]
    words = ("sources", "create", "--component-id", component["id"], "--name", "of it")
    assert verbs.json(*words)["component_id"] == component["id"]
    from_stdin = verbs.run("components", "create", "--code", "-", "--columns", "id", stdin=CODE)
    assert from_stdin.rows == [["id", component["id"]]]


def test_a_source_is_changed_and_switched(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    assert verbs.json("sources", "disable", source)["active"] is False
    renamed = verbs.json("sources", "update", source, "--name", "blog")
    assert (renamed["name"], renamed["active"]) == ("blog", False)
    assert verbs.json("sources", "enable", source)["active"] is True
    changed = verbs.json("sources", "update", source, "--props", "feed.json")
    assert changed["configured_props"]["url"] == PROPS["url"]
    assert verbs.json("sources", "show", source)["name"] == "blog"
    assert [call for call in verbs.calls() if call[0] == "PUT"] == [
        ("PUT", f"/sources/{source}")
    ] * 4


@pytest.mark.parametrize("update_name", ["kept", "documented"])
@pytest.mark.parametrize("update_without_component", ["accepted", "refused"])
def test_a_change_leaves_the_rest_as_it_is(
    verbs: Invoker, sandbox: Sandbox, update_name: str, update_without_component: str
) -> None:
    sandbox.switch(update_name=update_name, update_without_component=update_without_component)
    source = id_of(sandbox, "Company blog")
    before = verbs.json("sources", "disable", source)
    assert (before["name"], before["active"]) == ("Company blog", False)
    assert verbs.json("sources", "update", source, "--props", "feed.json")["active"] is False
    verbs.run("sources", "update", source, "--name", "blog")
    shown = verbs.json("sources", "show", source)
    assert (shown["name"], shown["active"]) == ("blog", False)
    assert shown["component_id"] == before["component_id"]
    assert verbs.json("sources", "enable", source)["name"] == "blog"


def test_new_code_goes_without_the_old_component(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    told = verbs.json("sources", "update", source, "--code", "mine.mjs", "--dry-run")
    assert told["body"] == {"component_code": CODE, "name": "Company blog", "active": True}


def test_a_dry_run_of_a_change_reads_the_source(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    shown = verbs.json("sources", "show", source)
    said = verbs.run("sources", "disable", source, "--dry-run", "--jsonl")
    assert json.loads(said.out)["body"] == {
        "active": False,
        "name": "Company blog",
        "component_id": shown["component_id"],
    }
    assert "Nothing was changed (--dry-run); the object was read." in said.err
    assert verbs.calls() == [("GET", f"/sources/{source}")] * 2
    bare = verbs.run("sources", "disable", source, "--dry-run", PIPEDREAM_API_KEY=None)
    assert json.loads(bare.out.partition("\n")[2]) == {"active": False}
    assert "With a key the object is read" in bare.err


def test_a_name_with_a_credential_is_not_sent_back_marked(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    name = "https://user:pw-4711@example.com"
    verbs.run("sources", "update", source, "--name", name)
    said = verbs.run("sources", "disable", source, code=2)
    assert "give it with --name" in said.err
    verbs.run("sources", "update", source, "--name", "x", "--inactive")


def test_subscriptions_and_webhooks(verbs: Invoker, sandbox: Sandbox) -> None:
    words = ("https://example.com/hook", "--name", "alerts", "--description", "of errors")
    hook = verbs.json("webhooks", "create", *words)
    assert (hook["name"], hook["description"]) == ("alerts", "of errors")
    ends = ("--emitter", "p_*", "--listener", hook["id"], "--event-name", "$errors")
    made = verbs.json("subscriptions", "create", *ends)
    assert made["listener_id"] == hook["id"]
    auto = verbs.json("subscriptions", "auto", *ends[2:])
    assert auto["event_name"] == "$errors"
    listed = verbs.json("subscriptions", "list")
    assert {made["id"], auto["id"]} <= {item["id"] for item in listed}
    assert verbs.run("subscriptions", "delete", *ends, "--yes", "--wait").out == ""
    left = {item["id"] for item in verbs.json("subscriptions", "list")}
    assert made["id"] not in left
    assert auto["id"] in left


DRY = [
    (["sources", "create", "--url", FEED, "--props", "feed.json"], "POST", "/sources"),
    (["sources", "update", "dc_a", "--name", "x"], "PUT", "/sources/dc_a"),
    (["sources", "enable", "dc_a"], "PUT", "/sources/dc_a"),
    (["sources", "disable", "dc_a"], "PUT", "/sources/dc_a"),
    (["sources", "delete", "dc_a"], "DELETE", "/sources/dc_a"),
    (
        ["events", "delete", "dc_a", "--start-id", "1-0", "--even-unloaded"],
        *("DELETE", "/sources/dc_a/events?start_id=1-0"),
    ),
    (["components", "create", "--code", "mine.mjs"], "POST", "/components"),
    (
        ["subscriptions", "create", "--emitter", "p_*", "--listener", "wh_a"],
        *("POST", "/subscriptions?emitter_id=p_%2A&listener_id=wh_a"),
    ),
    (
        ["subscriptions", "delete", "--emitter", "dc_a", "--listener", "wh_a"],
        *("DELETE", "/subscriptions?emitter_id=dc_a&listener_id=wh_a&event_name="),
    ),
    (
        ["subscriptions", "auto", "--listener", "p_a", "--event-name", "$errors"],
        *("POST", "/auto_subscriptions?event_name=%24errors&listener_id=p_a"),
    ),
    (
        ["webhooks", "create", "https://u:pw@example.com", "--org-id", "o_a"],
        *("POST", "/webhooks?url=https%3A%2F%2F[redacted]%40example.com&org_id=o_a"),
    ),
    (["webhooks", "delete", "wh_a"], "DELETE", "/webhooks/wh_a"),
    (["api", "DELETE", "webhooks/wh_a", "-f", "a=b"], "DELETE", "/webhooks/wh_a?a=b"),
]


@pytest.mark.parametrize(("words", "method", "target"), DRY, ids=[" ".join(d[0][:2]) for d in DRY])
def test_a_dry_run_sends_nothing(
    verbs: Invoker, sandbox: Sandbox, words: list[str], method: str, target: str
) -> None:
    # It needs no key either.
    said = verbs.run(*words, "--dry-run", PIPEDREAM_API_KEY=None)
    assert said.out.splitlines()[0] == f"{method} {sandbox.url}{target}"
    assert "Nothing was sent" in said.err
    reads = words[0] == "sources" and words[1] in ("update", "enable", "disable")
    if words[0] != "api" and not reads:
        told = verbs.json(*words, "--dry-run")
        assert (told["method"], told["url"]) == (method, sandbox.url + target)
        line = verbs.run(*words, "--dry-run", "--jsonl").out
        assert json.loads(line) == told
        assert len(line.splitlines()) == 1
    assert verbs.calls() == []


def test_a_dry_run_shows_the_body_without_secrets(verbs: Invoker, tmp_path: Path) -> None:
    secret = {"auth": {"type": "bearer", "token": "tok-4711"}, "password": "pw-4711", "url": "u"}
    (tmp_path / "p.json").write_text(json.dumps(secret | {"note": verbs.sandbox.api_key}))
    words = ("sources", "create", "--url", FEED, "--props", "p.json", "--dry-run")
    for said in (verbs.run(*words), verbs.run(*words, "--json")):
        assert "4711" not in said.out + said.err
        assert '"bearer"' in said.out
        assert '"url": "u"' in said.out


def test_what_is_sent_is_what_a_dry_run_shows(verbs: Invoker, sandbox: Sandbox) -> None:
    words = ("webhooks", "create", "https://example.com/x y".replace(" ", "%20"), "--name", "a b")
    shown = verbs.json(*words, "--dry-run")
    verbs.run(*words)
    (entry,) = sandbox.journal()
    assert shown["url"] == f"{sandbox.url}/webhooks?{entry['query']}"


REFUSED = {
    "no code": (["create"], "component_id (--component-id)"),
    "address": (["create", "--url", "ftp://x"], "component_url (--url)"),
    "name": (["create", "--url", FEED, "--name", " "], "name"),
    "no file": (["create", "--code", "nowhere.mjs"], "cannot be read"),
    "a folder": (["create", "--code", "."], "cannot be read"),
    "no props": (["create", "--url", FEED, "--props", "mine.mjs"], "must hold a JSON object"),
    "a list": (["create", "--url", FEED, "--props", "list.json"], "must hold a JSON object"),
    "empty": (["create", "--url", FEED, "--props", "empty"], "is empty"),
    "a mark": (["create", "--url", FEED, "--props", "marked.json"], "configured_props"),
    "twice stdin": (["create", "--code", "-", "--props", "-"], "not both"),
    "no change": (["update", "dc_abc"], "nothing was given"),
    "an id": (["enable", "dc/abc"], "is not an id"),
    "a workflow": (["enable", "p_abc"], "such as dc_abc123, but a workflow's"),
    "a webhook": (["show", "wh_abc"], "such as dc_abc123, but a webhook's"),
    "a source": (["create", "--component-id", "dc_a"], "must begin with sc_, such as sc_abc123"),
    "a user": (["list", "--org-id", "u_abc"], "must begin with o_, such as o_abc123"),
    "two forms": (["list", "--json", "--jsonl"], "contradict each other"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_never_sent(verbs: Invoker, tmp_path: Path, case: str) -> None:
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "marked.json").write_text('{"auth": {"token": "[redacted]"}}')
    words, said = REFUSED[case]
    done = verbs.run("sources", *words, code=2, stdin="")
    assert said in done.err
    assert (done.out, verbs.calls()) == ("", [])


def test_a_glob_is_for_workflows_or_sources(verbs: Invoker) -> None:
    ends = ("--emitter", "wh_*", "--listener", "p_abc")
    said = verbs.run("subscriptions", "create", *ends, code=2)
    assert "nor one of the globs p_* and dc_*" in said.err
    assert verbs.calls() == []


def test_a_field_that_nothing_has_is_told_once(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    for words in (["show", source], ["update", source, "--name", "b"], ["list", "--max", "3"]):
        for form in ([], ["--json"], ["--jsonl"]):
            said = verbs.run("sources", *words, "--columns", "id,nmae", *form)
            assert said.err.count("no object has a field 'nmae'") == 1
    assert verbs.run("sources", "show", source, "--columns", "id").err == ""


def test_a_dry_run_tells_what_an_oauth_client_may_not(verbs: Invoker) -> None:
    client: dict[str, Any] = {
        "PIPEDREAM_API_KEY": None,
        "PIPEDREAM_CLIENT_ID": "client-4711",
        "PIPEDREAM_CLIENT_SECRET": "hidden-4711",
    }
    said = verbs.run("sources", "create", "--url", FEED, "--dry-run", **client)
    assert said.out.startswith("POST ")
    assert "the real call is refused" in said.err
    hook = ("webhooks", "delete", "wh_abc", "--dry-run")
    assert "refused" not in verbs.run(*hook, **client).err
    assert "refused" not in verbs.run("sources", "create", "--url", FEED, "--dry-run").err
    assert verbs.calls() == []


def test_the_body_of_a_refused_call_is_told(verbs: Invoker) -> None:
    said = verbs.run("sources", "create", "--url", "https://example.com/none.js", code=1)
    assert "no component is known at" in said.err
    ends = ("--emitter", "dc_nosuch", "--listener", "p_nosuch")
    assert "record not found" in verbs.run("subscriptions", "create", *ends, code=1).err


def test_a_change_that_may_have_landed_is_told_not_repeated(
    verbs: Invoker, sandbox: Sandbox
) -> None:
    sandbox.fault(path="/v1/webhooks", method="POST", reset="after", count=1)
    said = verbs.run("webhooks", "create", "https://example.com/once", "--json", code=1)
    ended = json.loads(said.out)
    assert "was not repeated" in ended["error"]
    (found,) = ended["found"]
    assert found["url"] == "https://example.com/once"
    assert found["id"] in said.err
    assert [call for call in verbs.calls() if call[0] == "POST"] == [("POST", "/webhooks")]
