"""The verbs that delete: who asks, who may answer, and what waits."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipedream_source.cli.manage import call_flags
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import Command, id_of
from tests.integration.invoking import Invoker, on_terminal


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def verbs(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoker:
    monkeypatch.chdir(tmp_path)
    sandbox.reset()
    sandbox.control("DELETE", "journal")
    return Invoker(Command(tmp_path, sandbox))


def ids(verbs: Invoker, kind: str) -> set[str]:
    return {item["id"] for item in verbs.json(kind, "list")}


def deletions(verbs: Invoker) -> list[tuple[str, str]]:
    return [call for call in verbs.calls() if call[0] == "DELETE"]


@pytest.mark.parametrize(
    "words",
    [
        ["sources", "delete", "dc_abc"],
        ["webhooks", "delete", "wh_abc"],
        ["subscriptions", "delete", "--emitter", "dc_abc", "--listener", "p_abc"],
        ["events", "delete", "dc_abc", "--even-unloaded"],
    ],
)
def test_nobody_to_ask(verbs: Invoker, words: list[str]) -> None:
    said = verbs.run(*words, code=2, stdin="Company blog\n")
    assert "say --yes" in said.err
    assert "--dry-run" in said.err
    assert (said.out, verbs.calls()) == ("", [])


def test_the_name_is_asked_for(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    for answer in ("company blog", "yes", source):
        code, shown = on_terminal(verbs.command, "sources", "delete", source, answer=answer)
        assert code == 1
        assert "nothing was deleted" in shown
    assert deletions(verbs) == []
    code, shown = on_terminal(verbs.command, "sources", "delete", source, answer="Company blog")
    assert (code, "blog.example.com/feed.xml" in shown) == (0, True)
    assert f"Deleted source {source}" in shown
    assert source not in ids(verbs, "sources")


def test_an_object_without_a_name_is_named_by_its_id(verbs: Invoker, sandbox: Sandbox) -> None:
    (hook,) = [w["id"] for w in verbs.json("webhooks", "list") if w["name"] is None]
    code, shown = on_terminal(verbs.command, "webhooks", "delete", hook, answer=hook)
    assert (code, "hooks.example.com" in shown) == (0, True)
    assert hook not in ids(verbs, "webhooks")
    ends = ("--emitter", "dc_*", "--listener", id_of(sandbox, "Issue triage"))
    sub = verbs.json("subscriptions", "create", *ends)["id"]
    assert on_terminal(verbs.command, "subscriptions", "delete", *ends, answer=sub)[0] == 0
    assert sub not in ids(verbs, "subscriptions")


def test_a_name_that_cannot_be_typed(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    verbs.run("sources", "update", source, "--name", "a  b")
    assert on_terminal(verbs.command, "sources", "delete", source, answer="a  b")[0] == 1
    assert on_terminal(verbs.command, "sources", "delete", source, answer=source)[0] == 0


def test_what_is_not_there_is_not_asked_about(verbs: Invoker) -> None:
    for words in (["sources", "delete", "dc_nosuch"], ["webhooks", "delete", "wh_nosuch"]):
        code, shown = on_terminal(verbs.command, *words)
        assert (code, "to go on" in shown) == (1, False)
        verbs.run(*words, "--yes", code=1)
    ends = ("--emitter", "dc_nosuch", "--listener", "p_nosuch")
    code, shown = on_terminal(verbs.command, "subscriptions", "delete", *ends)
    assert (code, "No subscription of yours has" in shown) == (1, True)


def test_interrupted_while_asking(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    code, shown = on_terminal(verbs.command, "sources", "delete", source, sig=signal.SIGINT)
    assert (code, "Traceback" in shown) == (130, False)
    assert deletions(verbs) == []


@pytest.mark.parametrize("name", ["Company blog", "Partner API"])
def test_yes_asks_nothing_and_shows_no_secret(verbs: Invoker, sandbox: Sandbox, name: str) -> None:
    source = id_of(sandbox, name)
    told = json.loads(verbs.run("sources", "delete", source, "--yes", "--json").out)
    assert told == {"source_id": source, "accepted": True, "gone": None}
    assert verbs.calls() == [("DELETE", f"/sources/{source}")]
    verbs.run("sources", "delete", source, "--yes", code=1)


def test_a_secret_is_not_shown_when_asking(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Partner API")
    shown = on_terminal(verbs.command, "sources", "delete", source, answer="no")[1]
    assert "[redacted]" in shown
    assert "ptn_live" not in shown


def test_waiting_ends_when_it_is_gone(verbs: Invoker, sandbox: Sandbox) -> None:
    sandbox.switch(source_deletion="one_read")
    source = id_of(sandbox, "Company blog")
    told = json.loads(verbs.run("sources", "delete", source, "-y", "--wait", "--json").out)
    assert told["gone"] is True
    assert len([call for call in verbs.calls() if call[0] == "GET"]) >= 2
    hook = verbs.json("webhooks", "list")[0]["id"]
    assert f"Deleted webhook {hook}" in verbs.run("webhooks", "delete", hook, "-y", "--wait").err


def test_waiting_is_bounded(
    verbs: Invoker, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_flags, "_WAIT_S", 0.3)
    hook = verbs.json("webhooks", "list")[0]["id"]
    sandbox.fault(path=f"/v1/webhooks/{hook}", status=202, body="")
    said = verbs.run("webhooks", "delete", hook, "-y", "--wait", code=1)
    assert "still there" in said.err
