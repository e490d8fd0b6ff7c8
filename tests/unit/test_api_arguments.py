"""Arguments are refused before anything is sent, by a message that names the pattern and value."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.api.arguments import (
    check_emitter,
    check_event_id,
    check_event_name,
    check_fields,
    check_key,
    check_kind,
    check_limit,
    check_props,
    check_source,
    check_text,
    check_url,
)
from pipedream_source.core.text.redaction import MARK, redact_object
from pipedream_source.exceptions import ConfigurationError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("value", ["dc_abc123", "p_1", "p_*", "dc_*", "o_abc", "u_1"])
def test_an_emitter_is_an_id_or_a_glob(value: str) -> None:
    assert check_emitter(value) == value


@pytest.mark.parametrize(
    "value",
    ["*", "p_**", "p_a*", "p_", "_*", "abcde_*", "p_*\n", "", None, "wh_*", "hi_*", "P_*"],
)
def test_anything_else_is_no_emitter(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"emitter_id: .* globs p_\* and dc_\*"):
        check_emitter(value)


@pytest.mark.parametrize("value", ["dc_abc123", "hi_1", "ti_1", "zz_1", "pd_1"])
def test_a_source_may_have_any_prefix_of_its_own(value: str) -> None:
    assert check_source(value) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *(("p_1", "workflow"), ("wh_1", "webhook"), ("o_1", "workspace"), ("u_1", "user")),
        *(("sub_1", "subscription"), ("sc_1", "component"), ("d_1", "deployment")),
    ],
)
def test_what_is_something_else_is_no_source(value: str, kind: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"'{value}' .* dc_abc123, but a {kind}'s"):
        check_source(value)


@pytest.mark.parametrize("value", ["dc_abc", "o", "o_", "O_abc", "o_a b", "", None])
def test_a_kind_is_told_with_an_example(value: Any) -> None:
    assert check_kind("o_abc", "org_id", "o") == "o_abc"
    with pytest.raises(ConfigurationError, match=r"a workspace's id: .* o_, such as o_abc123"):
        check_kind(value, "org_id", "o")


@pytest.mark.parametrize(
    "value", ["github-new-repository", "my-component", "sc_JDi8EB", "a", "v1.2", "_x", "A" * 128]
)
def test_a_components_key_is_taken(value: str) -> None:
    assert check_key(value, "key") == value


@pytest.mark.parametrize(
    "value",
    [
        *("", ".", "..", "...", "-a", "a/b", "a b", "../users/me", "a%2fb", "a?b", "a#b", "a\n"),
        *("é", "A" * 129, "a\x00", "a\\b", None, 5, b"a"),
    ],
)
def test_a_key_that_could_leave_its_segment_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"key: .* is not a component's key or id"):
        check_key(value, "key")


@pytest.mark.parametrize("value", ["x", "Déjà vu 🎉", "a" * 1000, " padded "])
def test_a_name_is_taken_as_it_is(value: str) -> None:
    assert check_text(value, "name") == value


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x1b[2J", "\ud83d", "a" * 1001, None, 7])
def test_a_name_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"name: .* without control characters") as caught:
        check_text(value, "name")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", ["", "$errors", "$logs", "a/b", "temp é", "self"])
def test_a_channels_name_is_taken(value: str) -> None:
    assert check_event_name(value) == value


@pytest.mark.parametrize("value", [".", "..", "a\x00", "\udc00", "a" * 1001, None, 5])
def test_a_channels_name_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"event_name: .* is not a channel's name"):
        check_event_name(value)


def test_a_channel_may_be_required() -> None:
    with pytest.raises(ConfigurationError, match="1-1000"):
        check_event_name("", required=True)
    assert check_event_name("$logs", required=True) == "$logs"


@pytest.mark.parametrize("value", ["1589486981597-0", "0-0", "9-10", "123456789012345-1"])
def test_an_event_id_keeps_its_spelling(value: str) -> None:
    assert str(check_event_id(value, "start_id")) == value


@pytest.mark.parametrize(
    "value", ["", "1589486981597", "1-", "-1", "a-0", "1-0\n", "01-0", "1-00", "٣-0", None, 5, "-"]
)
def test_what_is_no_event_id_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"end_id: .* <milliseconds>-<sequence>"):
        check_event_id(value, "end_id")


@given(st.integers(min_value=1, max_value=100))
def test_a_page_may_have_1_to_100_items(value: int) -> None:
    assert check_limit(value) == value


@pytest.mark.parametrize("value", [0, -1, 101, 1000, True, 1.0, "10", None, math.nan])
def test_another_limit_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"limit: .* from 1 to 100"):
        check_limit(value)


def test_a_maximum_has_no_end() -> None:
    assert check_limit(10**6, "maximum", most=None) == 10**6
    with pytest.raises(ConfigurationError, match="maximum: '0'"):
        check_limit(0, "maximum", most=None)


# The first three are the documentation's (section "Create a webhook").
@pytest.mark.parametrize(
    "value",
    [
        "https://example.com",
        "http://example.com",
        "https://example.com:12345/endpoint",
        "http://127.0.0.1:8080/a?b=c#d",
        "https://user:pass@example.com/",
        "http://[::1]:1/",
        "HTTPS://EXAMPLE.COM",
    ],
)
def test_a_url_is_taken(value: str) -> None:
    assert check_url(value, "url") == value


@pytest.mark.parametrize(
    "value",
    [
        *("example.com", "mysql://user:pass@host:port", "https://", "http:///path", "//host/x"),
        *("ftp://example.com", "javascript:alert(1)", "http://a b", "http://a\nb", "http://a\\b"),
        *("http://h:99999/", "http://[::1", "https://\udc00/", "", " https://example.com", None),
        *("http:example.com", "https:/example.com", "file:///etc/passwd", 5),
    ],
)
def test_a_url_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"url: .* is not a URL of the form http\(s\)"):
        check_url(value, "url")


@pytest.mark.parametrize(
    "value", ["mysql://me:hunter2@host", "ftp://a:b:hunter2@h:x/", "x://hunter2@h"]
)
def test_a_refused_url_shows_no_password(value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_url(value, "url")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (None, None),
        ([], None),
        (["id"], "id"),
        (["name", "active"], "id,name,active"),
        ("name, active", "id,name,active"),
        (("updated_at", "id"), "updated_at,id"),
        (["configured_props.url", "$x"], "id,configured_props.url,$x"),
    ],
)
def test_fields_are_separated_by_commas(value: Any, sent: str | None) -> None:
    assert check_fields(value, "include") == sent


@pytest.mark.parametrize("value", [[""], ["a,b"], ["a b"], ["a", 5], "a,,b", ["é"], "", ["a&b"]])
def test_what_is_no_field_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"exclude: .* is not a field's name"):
        check_fields(value, "exclude")


def test_an_id_cannot_be_left_out() -> None:
    assert check_fields(["name"], "exclude") == "name"
    with pytest.raises(ConfigurationError, match="'id' cannot be left out"):
        check_fields(["name", "id"], "exclude")


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON_VALUES, max_size=4))
def test_props_are_taken_as_they_are(props: dict[str, Any]) -> None:
    if MARK not in json.dumps(props):
        assert check_props(props) == props


@pytest.mark.parametrize(
    "value", [None, [], "x", 5, {"a": math.nan}, {"a": {1, 2}}, {"a": b"x"}, {"a": object()}]
)
def test_props_that_json_cannot_hold_are_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="configured_props"):
        check_props(value)


def test_endless_props_are_refused() -> None:
    props: dict[str, Any] = {}
    props["self"] = props
    with pytest.raises(ConfigurationError, match="JSON cannot express"):
        check_props(props)


def test_a_refused_prop_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_props({"token": b"hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("salt", [None, "salt"])
def test_marks_of_redaction_never_overwrite_a_credential(salt: str | None) -> None:
    props = {
        "url": "https://me:hunter2@h/",
        "auth": {"token": "hunter2"},
        "list": [{"api_key": "k"}],
    }
    shown = redact_object(props, salt)
    with pytest.raises(ConfigurationError, match="configured_props") as caught:
        check_props(shown)
    for place in ("configured_props.url", "configured_props.auth.token", "list[0].api_key"):
        assert place in str(caught.value)
    assert check_props(props) == props
