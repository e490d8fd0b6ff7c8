"""No form of a secret survives, and nothing the API says acts on a terminal."""

import base64
import json
import string
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedream_source.core.redaction import MARK, Redactor, printable, redact_object

KEY = "pd/key+AB=cd%ef&0123456789"
secrets = st.text(
    alphabet=string.ascii_letters + string.digits + "+/=%&\\\"'~.", min_size=12, max_size=40
)


def forms(secret: str) -> list[str]:
    raw = secret.encode()
    return [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ]


@settings(deadline=None)
@given(secrets, st.text(), st.text())
def test_no_form_of_a_secret_survives(secret: str, before: str, after: str) -> None:
    redact = Redactor([secret])
    for form in forms(secret):
        shown = redact(f"{before}{form}{after}{form}")
        assert MARK in shown
        assert [f for f in forms(secret) if f in shown] == []


@settings(deadline=None)
@given(secrets, secrets)
def test_several_secrets(one: str, other: str) -> None:
    shown = Redactor([one, other])(f"{one} {other}{one}")
    assert one not in shown
    assert other not in shown


@pytest.mark.parametrize(
    "escaped",
    [
        KEY.replace("/", "\\/"),
        quote(KEY, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
    ],
)
def test_other_spellings_of_the_same(escaped: str) -> None:
    assert Redactor([KEY])(f"key={escaped};") == f"key={MARK};"


@settings(deadline=None)
@given(secrets, st.integers(6, 11), st.text(alphabet="äöü ", max_size=20))
def test_a_secret_cut_off_at_the_end_is_replaced(secret: str, kept: int, before: str) -> None:
    for form in forms(secret):
        for end in ("", "…"):
            shown = Redactor([secret])(before + form[:kept] + end, cut=True)
            assert form[:kept] not in shown.replace(MARK, "")
            assert shown.startswith(before)


def test_a_whole_text_keeps_its_end() -> None:
    assert Redactor([KEY])("see " + KEY[:8]) == "see " + KEY[:8]


def test_other_texts_stay_and_nothing_shows_the_secret() -> None:
    redact = Redactor(["", KEY])
    assert redact("nothing here") == "nothing here"
    assert KEY not in repr(redact)
    assert Redactor([])("text") == "text"


@settings(deadline=None)
@given(st.text(st.characters(), max_size=300), st.integers(0, 250))
def test_printable_has_no_control_characters(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert not any(ord(c) < 9 or 10 < ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert len(shown) <= 6 * limit + 1
    assert shown.encode() is not None
    if len(text) > limit:
        assert shown.endswith("…")


def test_printable_shows_what_it_escapes() -> None:
    assert printable("a\x1b[31mb\x9b\x00\r") == "a\\x1b[31mb\\x9b\\x00\\x0d"
    assert printable("cut \ud83d") == "cut \\ud83d"


@pytest.mark.parametrize(
    "name",
    [
        *("auth", "Authorization", "accessToken", "client_secret", "PASSWORD", "passphrase"),
        *("api_key", "apiKey", "api-key", "private_key", "signing-key", "credentials", "Cookie"),
    ],
)
def test_credentials_in_objects_are_replaced_leaf_by_leaf(name: str) -> None:
    value = {"deep": [{name: {"user": "u", "list": ["x", 5, None, True, {"y": 1.5}]}}]}
    expected = {"user": MARK, "list": [MARK, MARK, None, True, {"y": MARK}]}
    assert redact_object(value) == {"deep": [{name: expected}]}


def test_a_sources_credentials() -> None:
    source = {
        "id": "dc_1",
        "configured_props": {
            "url": "https://me:hunter2@example.com/x?y=1",
            "httpRequest": {"auth": {"type": "basic", "password": "hunter2"}, "method": "GET"},
        },
    }
    shown = redact_object(source)
    assert "hunter2" not in json.dumps(shown)
    request = shown["configured_props"]["httpRequest"]
    assert request == {"auth": {"type": "basic", "password": MARK}, "method": "GET"}
    assert shown["configured_props"]["url"] == f"https://{MARK}@example.com/x?y=1"
    assert source["configured_props"]["url"] == "https://me:hunter2@example.com/x?y=1"  # type: ignore[index]


def test_what_only_names_a_credential_stays() -> None:
    account = {"github": {"authProvisionId": "apn_1"}}
    assert redact_object(account) == account
    auth = {"type": "oauth", "authProvisionId": "apn_1", "oauth_access_token": "t", "id": "x"}
    shown = {"type": "oauth", "authProvisionId": "apn_1", "oauth_access_token": MARK, "id": MARK}
    assert redact_object({"auth": auth}) == {"auth": shown}


@pytest.mark.parametrize(
    "value",
    [
        {"auth": {"type": {"deep": "t"}, "authProvisionId": ["t"]}},
        {"auth": {"inner": {"type": "t", "authProvisionId": "t"}}},
        {"token": {"type": "t", "authProvisionId": "t"}},
        {"authProvisionId": {"type": "t"}},
        {"authProvisionIds": "t"},
        {"type": {"auth": "t"}},
        {"auth": {"type": "https://me:t@example.com"}},
    ],
)
def test_a_public_name_uncovers_nothing_else(value: Any) -> None:
    shown = json.dumps(redact_object(value))
    assert '"t"' not in shown
    assert ":t@" not in shown
    assert MARK in shown


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet="abc:/"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet="xyz", max_size=4), inner, max_size=3)
    ),
)


@settings(deadline=None)
@given(json_values)
def test_what_holds_no_credentials_stays(value: Any) -> None:
    assert redact_object(value) == value


@settings(deadline=None)
@given(json_values)
def test_the_shape_stays(value: Any) -> None:
    def shape(of: Any) -> Any:
        if isinstance(of, dict):
            return {k: shape(v) for k, v in of.items()}
        return [shape(v) for v in of] if isinstance(of, list) else None

    assert shape(redact_object({"token": value})) == shape({"token": value})
