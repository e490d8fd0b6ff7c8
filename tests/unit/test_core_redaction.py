"""No form of a secret survives, and nothing the API says acts on a terminal."""

import base64
import json
import re
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.text.redaction import MARK, Redactor, printable, redact_object

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


@given(secrets, st.text(), st.text())
def test_no_form_of_a_secret_survives(secret: str, before: str, after: str) -> None:
    redact = Redactor([secret])
    for form in forms(secret):
        shown = redact(f"{before}{form}{after}{form}")
        assert MARK in shown
        assert [f for f in forms(secret) if f in shown] == []


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


@given(secrets, st.integers(6, 11), st.text(alphabet="äöü ", max_size=20))
def test_a_secret_cut_off_at_the_end_is_replaced(secret: str, kept: int, before: str) -> None:
    for form in forms(secret):
        for end in ("", "…"):
            shown = Redactor([secret])(before + form[:kept] + end, cut=True)
            assert form[:kept] not in shown.replace(MARK, "")
            assert shown.startswith(before)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "k", "user:", "Bearer ", "api_key="])
def test_a_secret_within_a_longer_text_in_base64(
    before: str, encode: Callable[[bytes], bytes]
) -> None:
    text = encode(f"{before}{KEY}@example.com".encode()).decode()
    shown = Redactor([KEY])(text)
    assert MARK in shown
    # At either end a character may hold some bits of the secret.
    assert len(shown) <= len(text) - len(KEY) * 4 // 3 + len(MARK) + 2


def test_a_whole_text_keeps_its_end() -> None:
    assert Redactor([KEY])("see " + KEY[:8]) == "see " + KEY[:8]


def test_other_texts_stay_and_nothing_shows_the_secret() -> None:
    redact = Redactor(["", KEY])
    assert redact("nothing here") == "nothing here"
    assert KEY not in repr(redact)
    assert Redactor([])("text") == "text"


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


@given(json_values)
def test_what_holds_no_credentials_stays(value: Any) -> None:
    assert redact_object(value) == value


@given(json_values)
def test_the_shape_stays(value: Any) -> None:
    def shape(of: Any) -> Any:
        if isinstance(of, dict):
            return {k: shape(v) for k, v in of.items()}
        return [shape(v) for v in of] if isinstance(of, list) else None

    assert shape(redact_object({"token": value})) == shape({"token": value})


SALT = "5a17"
MARKED = re.compile(r"\[redacted\]-[0-9a-f]{8}")


def header(name: str, value: object) -> dict[str, object]:
    return {"name": name, "value": value}


def test_a_salted_mark_tells_secrets_apart_and_shows_none() -> None:
    def marked(secret: object, salt: str = SALT) -> str:
        return str(redact_object({"auth": {"token": secret}}, salt)["auth"]["token"])

    secrets_ = ["hunter2", "hunter3", "", 5, "5", 1.5, "\ud800", "ä" * 10_000]
    marks = [marked(secret) for secret in secrets_]
    assert all(MARKED.fullmatch(mark) for mark in marks)
    assert len(set(marks)) == len(secrets_)
    assert marks == [marked(secret) for secret in secrets_]
    assert marked("hunter2", "another") != marks[0]
    assert marked("hunter2", "") == MARK


def test_a_salted_mark_stands_wherever_a_plain_one_does() -> None:
    value = {
        "url": "https://me:hunter2@example.com/x?y=1&api_key=hunter2#z",
        "httpRequest": {"auth": {"type": "basic", "password": "hunter2"}},
        "headers": [header("Authorization", "Bearer hunter2"), header("Accept", "*/*")],
        "tokens": ["hunter2", None, True, {"deep": "hunter2"}],
    }
    salted = redact_object(value, SALT)
    assert "hunter2" not in json.dumps(salted)
    assert len(MARKED.findall(json.dumps(salted))) == 6
    plain = json.loads(MARKED.sub(MARK, json.dumps(salted)))
    assert plain == redact_object(value)
    assert redact_object(salted, SALT) == redact_object(salted, "another") == salted


def test_what_stands_beside_a_secret_name() -> None:
    shown = redact_object([header("X-Api-Key", "s"), header("Accept", "s"), {"name": "token"}])
    assert shown == [header("X-Api-Key", MARK), header("Accept", "s"), {"name": "token"}]
    nested = header("Cookie", {"a": ["s", None]})
    assert redact_object(nested) == header("Cookie", {"a": [MARK, None]})
    # A property of a component only describes a secret.
    prop = {"name": "api_key", "type": "string", "secret": True, "label": "Key"}
    assert redact_object(prop) == prop


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://tok@example.com/a", f"https://{MARK}@example.com/a"),
        ("https://me:p@ss@example.com/a", f"https://{MARK}@example.com/a"),
        ("https://x.com/f?access_token=t&a=1", f"https://x.com/f?access_token={MARK}&a=1"),
        ("https://x.com/f?a=1&X-Auth=t#token=t", f"https://x.com/f?a=1&X-Auth={MARK}#token={MARK}"),
        ("/relative?client_secret=t", f"/relative?client_secret={MARK}"),
        ("https://x.com/@me/f?author=ann&q=token", "https://x.com/@me/f?author=ann&q=token"),
        ("mail me@example.com", "mail me@example.com"),
    ],
)
def test_credentials_in_urls(url: str, shown: str) -> None:
    assert redact_object({"url": url}) == {"url": shown}


@pytest.mark.parametrize("name", ["author", "author_id", "Authors", "authority"])
def test_an_author_is_no_authorization(name: str) -> None:
    assert redact_object({name: "ann"}) == {name: "ann"}


@pytest.mark.parametrize("name", ["authorise", "authorization", "authorized_key", "oauth"])
def test_an_authorization_is(name: str) -> None:
    assert redact_object({name: "ann"}) == {name: MARK}


@pytest.mark.parametrize("around", [lambda v: [v], lambda v: {"a": v}, lambda v: {"auth": v}])
def test_what_is_nested_without_end_is_replaced_as_a_whole(
    around: Callable[[object], object],
) -> None:
    value: object = "hunter2"
    for _ in range(900):
        value = around(value)
    for salt in (None, SALT):
        shown = json.dumps(redact_object(value, salt))
        assert MARK in shown
        assert "hunter2" not in shown
        assert len(shown) < 2_000


@given(json_values, st.text(min_size=1, max_size=8))
def test_a_salt_touches_nothing_else(value: Any, salt: str) -> None:
    assert redact_object(value, salt) == value


def test_json_within_a_text_is_redacted_too() -> None:
    inner = {"httpRequest": {"auth": {"type": "basic", "password": "hunter2"}}, "n": 1}
    found = redact_object({"configured_props_json": json.dumps(inner)})
    assert json.loads(found["configured_props_json"]) == {
        "httpRequest": {"auth": {"type": "basic", "password": MARK}},
        "n": 1,
    }


@pytest.mark.parametrize("text", ['{"n": 1}', "not JSON", "", "[" * 100_000])
def test_a_text_without_credentials_stays_as_it_was(text: str) -> None:
    assert redact_object({"configured_props_json": text}) == {"configured_props_json": text}


@pytest.mark.parametrize(
    "name",
    [
        *("pwd", "pass", "passcode", "pin", "pat", "jwt", "dsn", "hmac", "sig", "signature"),
        *("licenseKey", "OPENAI_KEY", "stripe-key", "accessCode", "connection_string", "keys"),
    ],
)
def test_short_names_of_credentials_count_as_words(name: str) -> None:
    assert redact_object({name: "hunter2"}) == {name: MARK}


@pytest.mark.parametrize(
    "name",
    ["key", "keyword", "compass", "passenger", "pinned", "signed_up", "name_slug", "spinner"],
)
def test_words_that_only_look_like_them_stay(name: str) -> None:
    assert redact_object({name: "plain"}) == {name: "plain"}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("curl -H 'Authorization: Bearer abcdefgh1234'", "abcdefgh1234"),
        ("sk-live0123456789abcdef", "sk-live0123456789abcdef"),
        ("token ghp_0123456789abcdefABCD here", "ghp_0123456789abcdefABCD"),
        ("xoxb-1234567890-abcdef", "xoxb-1234567890-abcdef"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl", "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "T0/B0/xyz"),
        ("https://b.example/c?sv=1&sig=abc", "abc"),
        ('{"body": {"password": "hunter2"}}', "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_credentials_within_texts_are_replaced(text: str, secret: str) -> None:
    for salt in (None, "salt"):
        found = redact_object({"any": [text]}, salt)
        assert secret not in json.dumps(found)
        assert MARK in found["any"][0]
        assert redact_object(found, salt) == found


def test_the_value_of_a_key_parameter_is_replaced() -> None:
    assert redact_object({"name": "key", "value": "x"}) == {"name": "key", "value": MARK}


def test_a_components_code_stays_as_its_hash_says() -> None:
    component = {"code": "fetch(`https://x?token=${t}`)", "code_hash": "ab", "key": "my-component"}
    assert redact_object(component) == component
