"""Where the key and an OAuth client come from, and that neither is ever shown."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import Command, id_of
from tests.integration.invoking import Invoker


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def verbs(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoker]:
    monkeypatch.chdir(tmp_path)
    for name in ("RUNTIME__LOG_LEVEL", "RUNTIME__DLTHUB_TELEMETRY"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    sandbox.control("DELETE", "journal")
    yield Invoker(Command(tmp_path, sandbox))
    sandbox.clear_faults()
    sandbox.switch(unauthorized_body="json")


def as_client(verbs: Invoker) -> dict[str, str | None]:
    return {
        "PIPEDREAM_API_KEY": None,
        "PIPEDREAM_CLIENT_ID": verbs.sandbox.client_id,
        "PIPEDREAM_CLIENT_SECRET": verbs.sandbox.client_secret,
    }


@pytest.mark.parametrize("body", ["json", "text", "html", "empty", "echo"])
@pytest.mark.parametrize("verb", [["users", "me"], ["sources", "list"], ["webhooks", "list"]])
def test_a_wrong_key(verbs: Invoker, sandbox: Sandbox, verb: list[str], body: str) -> None:
    sandbox.switch(unauthorized_body=body)
    wrong = "wrong-key-4711"
    said = verbs.run(*verb, "-vv", code=2, PIPEDREAM_API_KEY=wrong)
    assert "refused the key" in said.err
    ended = verbs.run(*verb, "--json", code=2, PIPEDREAM_API_KEY=wrong)
    assert json.loads(ended.out)["exit_code"] == 2
    assert wrong not in said.out + said.err + ended.out + ended.err


def test_no_key_at_all(verbs: Invoker) -> None:
    said = verbs.run("users", "me", code=2, PIPEDREAM_API_KEY=None)
    assert "PIPEDREAM_API_KEY" in said.err
    assert verbs.calls() == []


def test_an_oauth_client(verbs: Invoker, sandbox: Sandbox) -> None:
    env = as_client(verbs)
    listed = verbs.json("sources", "list", "--org-id", sandbox.org_id, **env)
    assert len(listed) > 5
    assert verbs.calls()[0] == ("POST", "/oauth/token")
    source = id_of(sandbox, "Contact form")
    assert verbs.json("events", "list", source, "--max", "1", **env)
    for words in (
        ["components", "get", "sc_abc"],
        ["sources", "create", "--component-id", "sc_abc"],
        ["users", "me"],
    ):
        verbs.calls()
        said = verbs.run(*words, code=2, **env)
        assert "API key" in said.err
        assert str(sandbox.client_secret) not in said.err
        assert [path for _, path in verbs.calls() if "oauth" not in path] == []


def test_a_wrong_client(verbs: Invoker, sandbox: Sandbox) -> None:
    env = as_client(verbs) | {"PIPEDREAM_CLIENT_SECRET": "secret-4711"}
    said = verbs.run("sources", "list", "--org-id", sandbox.org_id, "-v", code=2, **env)
    assert "4711" not in said.out + said.err
    half = env | {"PIPEDREAM_CLIENT_SECRET": None}
    assert "PIPEDREAM_CLIENT_SECRET" in verbs.run("sources", "list", code=2, **half).err


@pytest.mark.parametrize("kind", ["key", "client"])
def test_credentials_in_dlts_secrets(verbs: Invoker, sandbox: Sandbox, kind: str) -> None:
    folder = verbs.command.folder / ".dlt"
    folder.mkdir()
    lines = {
        "key": f'api_key = "{sandbox.api_key}"\n',
        "client": f'client_id = "{sandbox.client_id}"\nclient_secret = "{sandbox.client_secret}"\n',
    }
    (folder / "secrets.toml").write_text("[sources.pipedream]\n" + lines[kind])
    (folder / "config.toml").write_text(
        f'[sources.pipedream]\nbase_url = "{sandbox.url}"\norg_id = "{sandbox.org_id}"\n'
    )
    env = {"PIPEDREAM_API_KEY": "", "PIPEDREAM_BASE_URL": "", "PIPEDREAM_ORG_ID": ""}
    done = verbs.command.run("sources", "list", "--columns", "id", **env)
    assert done.returncode == 0, done.stderr
    assert id_of(sandbox, "Contact form") in done.stdout.splitlines()
    if kind == "key":
        env |= {name: value or "" for name, value in as_client(verbs).items()}
        verbs.calls()
        assert verbs.command.run("sources", "list", **env).returncode == 0
        # The environment goes first.
        assert verbs.calls()[0] == ("POST", "/oauth/token")
    made = verbs.command.run("webhooks", "create", "https://example.com", "--dry-run", **env)
    assert made.stdout.splitlines()[0].endswith(f"org_id={sandbox.org_id}")


def test_secrets_that_stand_where_none_is_read(verbs: Invoker) -> None:
    folder = verbs.command.folder / ".dlt"
    folder.mkdir()
    (folder / "config.toml").write_text('[sources.pipedream]\nclient_secret = "secret-4711"\n')
    done = verbs.command.run("users", "me", PIPEDREAM_API_KEY="", COLUMNS="400")
    assert done.returncode == 2
    assert "client_secret stands in .dlt/config.toml" in done.stderr
    assert "4711" not in done.stderr
    (folder / "config.toml").write_text("[sources.pipedream]\nsinse = 1\n")
    done = verbs.command.run("users", "me", COLUMNS="400")
    assert (done.returncode, "'sinse'" in done.stderr) == (2, True)


def test_an_unforeseen_error_shows_no_secret(
    verbs: Invoker, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"boom {sandbox.api_key} {sandbox.client_secret}")

    monkeypatch.setattr("pipedream_source.api.methods.reads.Reads.sources", fail)
    env = {"PIPEDREAM_CLIENT_SECRET": str(sandbox.client_secret)}
    said = verbs.run("sources", "list", "-v", code=1, **env)
    assert "boom [redacted] [redacted]" in said.err
    assert str(sandbox.client_secret) not in said.err


def test_a_server_that_is_not_there(verbs: Invoker) -> None:
    env = {"PIPEDREAM_BASE_URL": "http://127.0.0.1:9/v1"}
    said = verbs.run("sources", "list", "--retry-budget", "0", code=1, **env)
    assert "127.0.0.1:9" in said.err
    assert "https" in verbs.run("users", "me", "--base-url", "http://example.com", code=2).err
    assert "ca_bundle" in verbs.run("users", "me", "--ca-bundle", "nowhere.pem", code=2).err
