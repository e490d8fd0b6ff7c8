"""`pipedream-source api`: any call, its answer as it came."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def sent(verbs: Invoker, *words: str, stdin: str | None = None) -> dict:
    """What a call would send."""
    text = verbs.run("api", *words, "--dry-run", stdin=stdin).out
    line, _, body = text.partition("\n")
    method, url = line.split(" ", 1)
    target = url.removeprefix(verbs.sandbox.url)
    return {"method": method, "target": target, "body": json.loads(body) if body else None}


def test_the_answer_is_written_byte_for_byte(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Contact form")
    sandbox.emit(source, event_text='{"é": "\x9b ☃"}')
    words = ("api", "GET", f"/sources/{source}/event_summaries", "-f", "limit=1", "-f")
    done = subprocess.run(
        verbs.command.line(*words, "expand=event"),
        env=verbs.command.environment,
        cwd=verbs.command.folder,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert "\x9b ☃".encode() in done.stdout
    assert json.loads(done.stdout)["data"][0]["event"] == {"é": "\x9b ☃"}
    assert done.stdout.count(b"\n") == 1
    code, shown = on_terminal(verbs.command, *words, "expand=event")
    assert (code, "\x9b" in shown, "\\x9b ☃" in shown) == (0, False, True)


def test_fields_go_where_the_documentation_wants_them(verbs: Invoker) -> None:
    assert sent(verbs, "get", "users/me/sources?limit=5", "-f", "after=a b") == {
        "method": "GET",
        "target": "/users/me/sources?limit=5&after=a+b",
        "body": None,
    }
    ends = ("-f", "emitter_id=dc_a", "-f", "listener_id=p_a", "-f", "event_name=")
    assert sent(verbs, "DELETE", "/v1/subscriptions/", *ends)["target"].endswith(
        "/subscriptions/?emitter_id=dc_a&listener_id=p_a&event_name="
    )
    typed = ("-F", "active=false", "-F", "n=1.5", "-F", "none=null", "-F", "s=x", "-f", "t=true")
    assert sent(verbs, "PUT", "/sources/dc_a", *typed) == {
        "method": "PUT",
        "target": "/sources/dc_a",
        "body": {"t": "true", "active": False, "n": 1.5, "none": None, "s": "x"},
    }


def test_keys_nest_in_a_body(verbs: Invoker) -> None:
    words = ["a[b]=x", "a[c][d]=y", "l[]=1", "l[]=2", "o[][n]=1", "o[][m]=2", "o[][n]=3", "e[]"]
    fields = [word for text in words for word in ("-f", text)]
    assert sent(verbs, "POST", "/sources", *fields, "-F", "a[e]=true", "-F", "l[]=3")["body"] == {
        "a": {"b": "x", "c": {"d": "y"}, "e": True},
        "l": ["1", "2", 3],
        "o": [{"n": "1", "m": "2"}, {"n": "3"}],
        "e": [],
    }
    query = sent(verbs, "GET", "/sources", "-f", "a[b]=x", "-f", "c[]=1")["target"]
    assert query == "/sources?a[b]=x&c[]=1"


def test_bodies_from_files(verbs: Invoker, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"name": "x", "configured_props": {"a": [1]}}')
    (tmp_path / "code.mjs").write_text("export default {}\n")
    whole = sent(verbs, "POST", "/sources", "--input", "body.json", "-f", "org_id=o_a")
    assert whole["target"] == "/sources?org_id=o_a"
    assert whole["body"] == {"name": "x", "configured_props": {"a": [1]}}
    assert sent(verbs, "POST", "/sources", "--input", "-", stdin='{"b":1}')["body"] == {"b": 1}
    code = sent(verbs, "POST", "/components", "-F", "component_code=@code.mjs")
    assert code["body"] == {"component_code": "export default {}\n"}
    assert verbs.calls() == []


def test_a_change_is_carried_out(verbs: Invoker, sandbox: Sandbox) -> None:
    source = id_of(sandbox, "Company blog")
    answer = json.loads(verbs.run("api", "PUT", f"/sources/{source}", "-F", "active=false").out)
    assert answer["data"]["active"] is False
    said = verbs.run("api", "DELETE", f"sources/{source}", "-i")
    assert said.out.splitlines()[0] == "HTTP 204 No Content"
    assert verbs.calls() == [("PUT", f"/sources/{source}"), ("DELETE", f"/sources/{source}")]


def test_every_page(verbs: Invoker, sandbox: Sandbox) -> None:
    listed = verbs.json("sources", "list", "--org-id", sandbox.org_id)
    verbs.calls()
    path = f"/orgs/{sandbox.org_id}/sources"
    said = verbs.run("api", "GET", path, "-f", "limit=4", "--paginate")
    pages = [json.loads(line) for line in said.out.splitlines()]
    assert [row["id"] for page in pages for row in page["data"]] == [s["id"] for s in listed]
    assert len(pages) == len(listed) // 4 + 1
    headed = verbs.run("api", "GET", path, "-f", "limit=4", "--paginate", "--include-headers")
    assert headed.out.count("HTTP 200 OK\n") == len(pages)
    assert len(verbs.run("api", "GET", "/users/me", "--paginate").out.splitlines()) == 1


@pytest.mark.parametrize("after", ["inclusive", "ignored"])
def test_pages_end_under_every_cursor(verbs: Invoker, sandbox: Sandbox, after: str) -> None:
    sandbox.switch(after=after)
    source = id_of(sandbox, "Company blog")
    path = f"/sources/{source}/event_summaries"
    said = verbs.run("api", "GET", path, "-f", "limit=30", "--paginate")
    rows = [row["id"] for line in said.out.splitlines() for row in json.loads(line)["data"]]
    assert len(set(rows)) == (77 if after == "inclusive" else 30)
    assert len(rows) < 90


@pytest.mark.parametrize(
    "words",
    [
        ["GET", "https://example.com/users/me"],
        ["GET", "//example.com/users/me"],
        ["GET", "/sources/../users/me"],
        ["GET", "/sources/%2e%2e/users/me"],
        ["GET", "/users me"],
        ["FETCH", "/users/me"],
        ["POST", "/sources", "-f", "name"],
        ["POST", "/sources", "-F", "=x"],
        ["POST", "/sources", "--input", "nowhere.json"],
        ["POST", "/sources", "-F", "code=@nowhere"],
        ["POST", "/sources", "--paginate"],
        ["POST", "/sources", "-f", "a[=x"],
        ["POST", "/sources", "-f", "[]=x"],
        ["POST", "/sources", "-f", "a[][]=x"],
        ["POST", "/sources", "-f", "a=x", "-f", "a[b]=x"],
        ["POST", "/sources", "-f", "a[b]=x", "-f", "a[]=x"],
        ["GET", "/sources", "-f", "a[]=1", "-f", "a[]=2"],
        ["GET", "/sources", "-f", "a[]"],
    ],
)
def test_what_leads_elsewhere_is_never_sent(verbs: Invoker, words: list[str]) -> None:
    assert verbs.run("api", *words, code=2).out == ""
    assert verbs.calls() == []


def test_failures(verbs: Invoker, sandbox: Sandbox) -> None:
    said = verbs.run("api", "GET", "/nosuch", "--json", code=1)
    assert "'route not found'" in said.err
    assert json.loads(said.out) == {"error": "route not found"}
    headed = verbs.run("api", "GET", "/nosuch", "-i", "--paginate", code=1)
    assert headed.out.startswith("HTTP 404 Not Found\n")
    assert headed.out.endswith("\n\n" + said.out)
    wrong = verbs.run("api", "GET", "/users/me", code=2, PIPEDREAM_API_KEY="wrong-key-4711")
    assert "refused the key" in wrong.err
    assert "error" in json.loads(wrong.out)
    sandbox.fault(path="/v1/users/me", reset="before")
    assert verbs.run("api", "GET", "/users/me", "--retry-budget", "0", code=1).out == ""
    sandbox.control("DELETE", "faults")
    sandbox.fault(path="/v1/users/me", html=True, status=200, count=1)
    assert "<html>" in verbs.run("api", "GET", "/users/me").out


def test_a_refusal_that_echoes_the_key_does_not_show_it(verbs: Invoker, sandbox: Sandbox) -> None:
    sandbox.switch(unauthorized_body="echo")
    said = verbs.run("api", "GET", "/users/me", "-i", code=2, PIPEDREAM_API_KEY="wrong-key-4711")
    assert "4711" not in said.out + said.err
    assert "[redacted]" in said.out


def test_the_answer_to_a_lost_change_is_written_not_the_looks(
    verbs: Invoker, sandbox: Sandbox
) -> None:
    sandbox.fault(path="/v1/webhooks", method="POST", status=502, count=1)
    words = ("POST", "/webhooks", "-f", "url=https://example.com/new")
    said = verbs.run("api", *words, "-i", code=1)
    assert said.out.startswith("HTTP 502 ")
    assert "found nothing that fits" in said.err


def test_an_answer_that_holds_the_key_does_not_show_it(verbs: Invoker, sandbox: Sandbox) -> None:
    sandbox.switch(user_api_key="present")
    # `run` looks for the key in all that is written.
    assert "[redacted]" in verbs.run("api", "GET", "/users/me", "-i").out
    assert "[redacted]" in verbs.run("users", "me").out
