"""The verbs that read, and the forms in which they write."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, Command, id_of
from tests.integration.invoking import Invoker, on_terminal

IGNORED_BY_THE_SHELL = "\x1b[2Jhi\tthere\n[bold]x[/]\x9b"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def verbs(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoker]:
    monkeypatch.chdir(tmp_path)
    sandbox.control("DELETE", "journal")
    yield Invoker(Command(tmp_path, sandbox))
    sandbox.clear_faults()
    sandbox.switch(limit_over_100="clamp", subscriptions="whole")


def test_the_user_and_a_workspace(verbs: Invoker, sandbox: Sandbox) -> None:
    me = verbs.json("users", "me")
    assert (me["username"], me["orgs"][0]["id"]) == ("ada", sandbox.org_id)
    assert verbs.json("users", "me", "--include", "email") == {
        "id": me["id"],
        "email": "ada@acme.example.com",
    }
    assert "email" not in verbs.json("users", "me", "--exclude", "email, orgs")
    for words in (["show", sandbox.org_id], ["show", "--workspace-id", sandbox.org_id]):
        assert verbs.json("workspaces", *words)["name"] == "Acme Storefront"
    assert verbs.json("workspaces", "show", PIPEDREAM_ORG_ID=sandbox.org_id)["name"]
    assert "Which workspace?" in verbs.run("workspaces", "show", code=2).err


def test_a_list_in_a_pipe(verbs: Invoker) -> None:
    said = verbs.run("sources", "list")
    rows = {row[1]: row for row in said.rows}
    assert rows["Company blog"][0].startswith("dc_")
    assert rows["Company blog"][2:] == ["true", rows["Company blog"][3], "2025-11-11T17:07:57Z"]
    assert (said.err, "\x1b" in said.out) == ("", False)


def test_the_forms_agree(verbs: Invoker) -> None:
    document = verbs.json("sources", "list")
    lines = verbs.run("sources", "list", "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == document
    assert isinstance(document[0]["created_at"], int)
    piped = verbs.run("sources", "list", "--columns", "id,configured_props.timer.cron").rows
    assert [row[0] for row in piped] == [source["id"] for source in document]
    chosen = verbs.json("sources", "list", "--columns", "name,configured_props.url")
    assert chosen[0] == {
        "name": "Company blog",
        "configured_props.url": "https://blog.example.com/feed.xml",
    }
    one = verbs.run("sources", "show", document[0]["id"], "--columns", "id,created_at").rows
    assert one == [["id", document[0]["id"]], ["created_at", "2025-11-07T09:00:00Z"]]


def test_what_no_object_has_is_told(verbs: Invoker) -> None:
    said = verbs.run("sources", "list", "--columns", "id,nmae", "--max", "1")
    assert said.rows[0][1] == ""
    assert "no object has a field 'nmae'" in said.err
    nothing = verbs.run("webhooks", "list", "--include", "id", "--jsonl", "--max", "1")
    assert len(json.loads(nothing.out)) == 1


def test_lists_are_walked_page_by_page(verbs: Invoker, sandbox: Sandbox) -> None:
    org = ("--org-id", sandbox.org_id)
    whole = verbs.json("sources", "list", *org)
    verbs.calls()
    assert verbs.json("sources", "list", *org, "--limit", "4") == whole
    assert len(verbs.calls()) > len(whole) // 4
    assert verbs.json("sources", "list", *org, "--limit", "4", "--max", "6") == whole[:6]
    assert len(verbs.calls()) == 2
    for wrong in (["--limit", "0"], ["--limit", "101"], ["--max", "0"], ["--limit", "x"]):
        verbs.run("sources", "list", *wrong, code=2)
    assert verbs.calls() == []


def test_subscriptions_and_webhooks(verbs: Invoker, sandbox: Sandbox) -> None:
    (row,) = verbs.run("subscriptions", "list").rows
    assert row[0].startswith("sub_")
    assert row[2] == ""
    sandbox.switch(subscriptions="paginated")
    found = verbs.json("subscriptions", "list", "--org-id", sandbox.org_id, "--limit", "1")
    assert len(found) > 1
    assert verbs.calls()[-1][1] == f"/workspaces/{sandbox.org_id}/subscriptions"
    assert [w["name"] for w in verbs.json("webhooks", "list")] == ["Warehouse intake", None]


def test_events_of_each_kind(verbs: Invoker, sandbox: Sandbox) -> None:
    blog, invoices = id_of(sandbox, "Company blog"), id_of(sandbox, "Invoice renderer")
    newest = verbs.json("events", "list", blog, "--max", "2")
    assert len(newest) == 2
    assert newest[0]["event"]["title"]
    assert "event" not in verbs.json("events", "list", blog, "--max", "1", "--include", "id")[0]
    logs = verbs.json("events", "list", blog, "--event-name", "$logs", "--max", "1")
    assert logs[0]["metadata"]["name"] == "$logs"
    assert len(verbs.json("events", "list", blog, "--no-expand")) == 77
    (emit,) = verbs.run("workflows", "emits", invoices, "--max", "1").rows
    assert emit[1].endswith("Z")
    assert json.loads(emit[3])
    (error,) = verbs.run("workflows", "errors", invoices, "--max", "1").rows
    assert error[2] == "SyntaxError"
    assert error[4] == "Invoice renderer"
    named = verbs.run("workflows", "errors", invoices, "--columns", "event.error.code").out
    assert "ECONNRESET" in named.splitlines()
    shown = verbs.json("workflows", "show", invoices, "--org-id", sandbox.org_id)
    assert {"triggers", "steps"} <= set(shown)


def test_components(verbs: Invoker, sandbox: Sandbox) -> None:
    key = "github-new-repository"
    registered = verbs.json("components", "registry", key)
    assert registered["name"] == "New Repository"
    component_id = verbs.json("sources", "list")[0]["component_id"]
    mine = verbs.json("components", "get", component_id)
    assert mine["id"] == component_id
    code = verbs.run("components", "get", component_id, "--columns", "code").rows
    assert (len(code), code[0][0]) == (1, "code")


def test_workflows_from_a_database_or_afresh(verbs: Invoker, sandbox: Sandbox) -> None:
    fresh = verbs.json("workflows", "list")
    assert fresh == verbs.json("workflows", "list", "--afresh")
    known = {workflow["id"]: workflow for workflow in fresh}
    assert known[id_of(sandbox, "Invoice renderer")]["discovered_by"] == ["errors"]
    assert verbs.command.run("load", "--quiet").returncode == 0
    verbs.calls()
    stored = verbs.json("workflows", "list")
    assert verbs.calls() == []
    assert {w["id"]: w["discovered_by"] for w in stored} == {
        key: workflow["discovered_by"] for key, workflow in known.items()
    }
    assert verbs.json("workflows", "list", "--database", DATABASE, "--max", "1") == stored[:1]
    assert verbs.run("workflows", "list", "--dataset", "other", code=2).err
    assert verbs.json("workflows", "list", "--afresh", "--max", "1") == fresh[:1]
    verbs.calls()
    org = sandbox.org_id
    assert verbs.json("workflows", "list", PIPEDREAM_ORG_ID=org) == stored
    assert verbs.calls() == []
    verbs.json("workflows", "list", "--org-id", org)
    assert ("GET", f"/workspaces/{org}/subscriptions") in verbs.calls()


@pytest.mark.parametrize("kind", ["sources", "webhooks", "subscriptions"])
def test_an_empty_list_is_not_taken_from_a_wrong_key(
    verbs: Invoker, sandbox: Sandbox, kind: str
) -> None:
    sandbox.fault(path=f"/v1/users/me/{kind}", status=200, body='{"data": []}')
    for form in ([], ["--json"], ["--jsonl"]):
        assert f"No {kind}." in verbs.run(kind, "list", *form).err
        said = verbs.run(kind, "list", *form, code=2, PIPEDREAM_API_KEY="wrong-key-4711")
        assert "refused the key" in said.err
        assert f"No {kind}." not in said.err
    assert verbs.calls() == [("GET", f"/users/me/{kind}"), ("GET", "/users/me")] * 6


def test_a_list_that_fails_while_workflows_are_sought(verbs: Invoker, sandbox: Sandbox) -> None:
    sandbox.fault(path=f"/v1/workspaces/{sandbox.org_id}/subscriptions", status=403)
    said = verbs.run("workflows", "list", code=3)
    assert said.rows
    assert f"failed  {sandbox.org_id}/subscriptions" in said.err


def test_a_page_that_fails_after_another(verbs: Invoker, sandbox: Sandbox) -> None:
    org = ("--org-id", sandbox.org_id, "--limit", "4")
    sandbox.fault(path="/v1/orgs/*", query="*after=*", status=404)
    lines = verbs.run("sources", "list", *org, "--jsonl", code=1)
    assert len(lines.out.splitlines()) == 4
    assert "status 404" in lines.err
    whole = json.loads(verbs.run("sources", "list", *org, "--json", code=1).out)
    assert set(whole) == {"exit_code", "error"}


@pytest.mark.parametrize(
    "words",
    [
        ["sources", "show", "../users"],
        ["events", "list", "nosuch"],
        ["workflows", "emits", "dc_abc123"],
        ["workflows", "errors", "p_abc/x"],
        ["components", "get", "a b"],
        ["sources", "list", "--org-id", "acme"],
        ["sources", "list", "--include", "a b"],
        ["sources", "list", "--exclude", "id"],
        ["workspaces", "show", "u_abc"],
    ],
)
def test_what_cannot_be_an_id_is_never_sent(verbs: Invoker, words: list[str]) -> None:
    said = verbs.run(*words, code=2)
    assert said.err.startswith("Error  ")
    assert (said.out, verbs.calls()) == ("", [])


def test_what_is_not_there(verbs: Invoker) -> None:
    for words in (["sources", "show", "dc_nosuch"], ["components", "registry", "nosuch"]):
        said = verbs.run(*words, code=1)
        assert "status 404, 'record not found'" in said.err
        ended = json.loads(verbs.run(*words, "--json", code=1).out)
        assert (ended["exit_code"], "404" in ended["error"]) == (1, True)


def test_texts_of_others_move_no_terminal(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Contact form")
    sandbox.emit(source, event={"note": IGNORED_BY_THE_SHELL}, metadata={"name": "\x1b[31m"})
    piped = verbs.run("events", "list", source, "--max", "1", "--columns", "event.note,metadata")
    assert piped.rows[0][0] == "\\x1b[2Jhi\\tthere\\n[bold]x[/]\\x9b"
    document = verbs.run("events", "list", source, "--max", "1", "--json").out
    assert json.loads(document)[0]["event"]["note"] == IGNORED_BY_THE_SHELL
    code, shown = on_terminal(
        verbs.command, *("events", "list", source, "--max", "1", "--columns", "event.note")
    )
    assert code == 0
    assert "\\x1b[2Jhi" in shown
    for text in (piped.out, document, shown):
        assert "\x1b[2J" not in text
        assert "\x9b" not in text


def test_people_see_tables_that_fit(verbs: Invoker, sandbox: Sandbox) -> None:
    wide = on_terminal(verbs.command, "sources", "list", columns=120)[1]
    assert "component_id" in wide
    assert "2025-11-11T17:07:57Z" in wide
    assert "\x1b[1m" in wide
    plain = on_terminal(verbs.command, "workflows", "list", columns=120, NO_COLOR="1")[1]
    assert "discovered_by" in plain
    assert re.search(r"\x1b\[[34]\d", plain) is None
    narrow = on_terminal(verbs.command, "webhooks", "list", columns=50)[1]
    assert max(map(len, narrow.replace("\x1b[2m", "").replace("\x1b[0m", "").split("\r\n"))) <= 50
    one = on_terminal(verbs.command, "users", "me", "--columns", "username,email")[1]
    assert "ada@acme.example.com" in one


def test_a_reader_that_leaves_is_no_error(verbs: Invoker, sandbox: Sandbox) -> None:
    command = verbs.command
    line = " ".join(command.line("events", "list", id_of(sandbox, "Contact form"), "--jsonl"))
    done = subprocess.run(
        f"{line} | head -n 1",
        shell=True,
        cwd=command.folder,
        env=command.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout)["id"]
    assert done.stderr == ""
