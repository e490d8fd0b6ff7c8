"""Credentials: which are used, what is refused, and that they show themselves to nobody."""

from __future__ import annotations

import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.http.auth import BearerAuth, OAuthClient, Unsigned
from pipedream_source.core.text.redaction import MARK
from pipedream_source.exceptions import ConfigurationError

SECRET = "s3cret/CLIENT+0123456789"
TOKEN = "ey.token-0123456789"
VARIABLES = ("PIPEDREAM_API_KEY", "PIPEDREAM_CLIENT_ID", "PIPEDREAM_CLIENT_SECRET")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_a_client_signs_with_its_newest_token() -> None:
    client = OAuthClient(" id-1 ", SECRET)
    assert client.headers() == {}
    assert client.take("old-token-123")
    assert client.take(TOKEN)
    assert client.headers() == {"Authorization": f"Bearer {TOKEN}"}
    assert client.token_number == 2


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Evil: 1", "é"])
def test_a_token_that_no_header_can_carry_is_not_taken(token: str) -> None:
    client = OAuthClient("id-1", SECRET)
    assert not client.take(token)
    assert client.headers() == {}


def test_the_call_for_a_token_is_the_documented_one() -> None:
    request = OAuthClient("id-1", SECRET).request()
    assert (request.method, request.path, dict(request.params)) == ("POST", "/oauth/token", {})
    assert request.body == {
        "grant_type": "client_credentials",
        "client_id": "id-1",
        "client_secret": SECRET,
    }


def test_secret_and_latest_tokens_are_redacted() -> None:
    client = OAuthClient("id-1", SECRET)
    tokens = [f"token-number-{n:04}" for n in range(6)]
    for token in tokens:
        client.take(token)
    text = client.redact(f"{SECRET} {' '.join(tokens)}")
    assert text == f"{MARK} {tokens[0]} {tokens[1]} {MARK} {MARK} {MARK} {MARK}"
    assert client.redact(f"cut {SECRET[:10]}", cut=True) == f"cut {MARK}"
    assert Unsigned(client).redact(tokens[-1]) == MARK
    assert Unsigned(client).headers() == {}


@pytest.mark.parametrize(("name", "secret"), [("", SECRET), ("id-1", ""), (" ", "\t"), ("", "")])
def test_both_halves_are_needed(name: str, secret: str) -> None:
    with pytest.raises(ConfigurationError, match="PIPEDREAM_CLIENT_SECRET"):
        OAuthClient(name, secret)


@pytest.mark.parametrize(("name", "secret"), [("a b", SECRET), ("id", "a\nb"), ("é", SECRET)])
def test_halves_that_cannot_be_right_are_refused(name: str, secret: str) -> None:
    with pytest.raises(ConfigurationError, match="copy it again"):
        OAuthClient(name, secret)


def test_no_attribute_holds_a_secret() -> None:
    client = OAuthClient("id-1", SECRET)
    client.take(TOKEN)
    for auth in (client, Unsigned(client), BearerAuth(SECRET)):
        shown = repr(auth) + "".join(repr(getattr(auth, name)) for name in auth.__slots__)
        assert SECRET not in shown
        assert TOKEN not in shown


def is_users(client: PipedreamClient) -> bool:
    """Tell a client that signs with a key from one that signs with tokens."""
    client.close()
    return client.takes_user_paths


def test_a_key_or_a_client_may_be_given() -> None:
    assert is_users(PipedreamClient("key-1"))
    assert not is_users(PipedreamClient(client_id="a", client_secret="b"))


@pytest.mark.parametrize("half", ["client_id", "client_secret"])
def test_both_kinds_at_once_are_refused(half: str) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        PipedreamClient("key-1", **{half: "x"})  # type: ignore[arg-type]


def test_nothing_is_refused_with_both_ways_named() -> None:
    with pytest.raises(ConfigurationError, match=r"PIPEDREAM_API_KEY.*PIPEDREAM_CLIENT_ID"):
        PipedreamClient()


def test_the_environment_gives_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEDREAM_CLIENT_ID", "a")
    with pytest.raises(ConfigurationError, match="both PIPEDREAM_CLIENT_ID"):
        PipedreamClient()
    monkeypatch.setenv("PIPEDREAM_CLIENT_SECRET", "b")
    assert not is_users(PipedreamClient())
    assert is_users(PipedreamClient("key-1"))
    monkeypatch.setenv("PIPEDREAM_API_KEY", "key-2")
    assert is_users(PipedreamClient())
    assert not is_users(PipedreamClient(client_id="c"))
    assert not is_users(PipedreamClient(client_secret="d"))
