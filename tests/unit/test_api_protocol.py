"""What is sent, and what is made of the answers: nothing odd is ever "no events"."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.api.protocol import (
    Answer,
    PageInfo,
    check_base_url,
    check_id,
    date_ms,
    error_text,
    events_request,
    is_id,
    page_info,
    read_list,
    read_object,
    retry_after_s,
)
from pipedream_source.exceptions import ConfigurationError, ProtocolError

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def ok(body: bytes | str, status: int = 200) -> Answer:
    return Answer(status, {}, body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize(
    ("given_url", "used"),
    [
        ("https://api.pipedream.com/v1", "https://api.pipedream.com/v1"),
        ("https://api.pipedream.com/v1/", "https://api.pipedream.com/v1"),
        ("HTTPS://example.com:8443", "HTTPS://example.com:8443"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://[::1]:1/v1", "http://[::1]:1/v1"),
    ],
)
def test_a_base_url_is_taken(given_url: str, used: str) -> None:
    assert check_base_url(given_url) == used


@pytest.mark.parametrize(
    "url",
    [
        *("", "api.pipedream.com", "http://api.pipedream.com/v1", "ftp://localhost/", "https://"),
        *("http://127.0.0.1.evil.com", "http://localhost.evil.com", "http://127.0.0.2"),
        *("http://localhost@evil.com", "https://u:p@api.pipedream.com", "https://@host"),
        *("https://h/v1?x=1", "https://h/v1#f", "https://h/?", "https://h/#", "file:///etc/passwd"),
        *("https://h:port/", "https://h:99999/", "http://[::1", "//localhost/v1", "javascript:1"),
    ],
)
def test_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        check_base_url(url)


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@h/", "https://hunter2@h/", "ftp://a:hunter2@h"]
)
def test_a_refused_base_url_shows_no_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["dc_abc123", "p_1", "hook_" + "x" * 64, "o_A", "ti_9"])
def test_an_id_is_taken(value: str) -> None:
    assert check_id(value, "id") == value
    assert is_id(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "dc",
            "dc_",
            "_abc",
            "abcde_1",
            "dc-1",
            "dc_a b",
            "dc_a/b",
            "../x",
            "dc_..",
            "dc_a?x",
        ),
        *(
            "dc_a#",
            "dc_a%2e",
            "dc_1\n",
            "\ndc_1",
            "dc_1\x00",
            "dc_é",
            "\u0501c_1",
            "dc_\uff11",
            "dc_a_b",
        ),
        *("' or 1=1", "dc_" + "x" * 65, "dc_1\x1b[2J", "p_*", "\ud83d", "x" * 1_000_000),
        *(None, 5, True, b"dc_1", ["dc_1"], {"id": "dc_1"}),
    ],
)
def test_a_hostile_id_is_refused(value: object) -> None:
    assert not is_id(value)
    with pytest.raises(ConfigurationError, match="source_ids") as caught:
        check_id(value, "source_ids")
    assert len(str(caught.value)) < 1200
    assert "\x1b" not in str(caught.value)


@given(st.text(max_size=12))
def test_an_id_is_safe_in_a_path(value: str) -> None:
    if is_id(value):
        assert value.isascii()
        assert value.replace("_", "").isalnum()


def test_an_id_of_another_kind_is_refused() -> None:
    assert check_id("p_1", "workflow_ids", kind="p") == "p_1"
    for value in ("dc_1", "px_1"):
        with pytest.raises(ConfigurationError, match="begin with p_"):
            check_id(value, "workflow_ids", kind="p")


@pytest.mark.parametrize(
    ("emitter", "channel", "path", "more"),
    [
        ("dc_1", "", "/sources/dc_1/event_summaries", {}),
        ("dc_1", "$errors", "/sources/dc_1/event_summaries", {"event_name": "$errors"}),
        ("p_1", "", "/workflows/p_1/event_summaries", {}),
        ("p_1", "$errors", "/workflows/p_1/$errors/event_summaries", {}),
        ("p_1", "a/../b?c", "/workflows/p_1/a%2F..%2Fb%3Fc/event_summaries", {}),
    ],
)
def test_a_streams_request(emitter: str, channel: str, path: str, more: dict[str, str]) -> None:
    request = events_request(emitter, channel)
    assert (request.method, request.path) == ("GET", path)
    assert dict(request.params) == {"expand": "event", "limit": "100", **more}


HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("999999", 999999.0),
        ("-5", None),
        ("1e9", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("٣", None),
        ("9" * 5000, None),
        ((NOW + timedelta(seconds=90)).strftime(HTTP_DATE), 90.0),
        ((NOW - timedelta(days=90)).strftime(HTTP_DATE), 0.0),
        ("Mon, 23 Nov 2026 13:00:30 +0100", 30.0),
        ("Mon, 99 Nov 2026 13:00:30 GMT", None),
    ],
    ids=repr,
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    assert retry_after_s(headers, NOW) == seconds


@pytest.mark.parametrize("year", [1999, 2026, 2199])
def test_a_date_counts_from_the_clock_that_wrote_it(year: int) -> None:
    headers = {
        "date": f"Mon, 23 Nov {year} 11:59:30 GMT",
        "retry-after": f"Mon, 23 Nov {year} 12:59:30 GMT",
    }
    assert retry_after_s(headers, NOW) == 3600
    # Without a readable clock of theirs, ours has to do.
    assert retry_after_s(headers | {"date": "now"}, NOW) == max(
        (datetime(year, 11, 23, 12, 59, 30, tzinfo=UTC) - NOW).total_seconds(), 0
    )


@given(
    st.text(max_size=40)
    | st.from_regex(
        r"[A-Z][a-z]{2}, [0-9]{1,9} Nov [0-9]{1,9} [0-9:]{1,12} [+-][0-9]{1,9}", fullmatch=True
    )
)
def test_no_header_upsets_the_reader(text: str) -> None:
    for headers in ({"retry-after": text}, {"retry-after": text, "date": text}):
        seconds = retry_after_s(headers, NOW)
        assert seconds is None or seconds >= 0
    found = date_ms({"date": text})
    assert found is None or isinstance(found, int)


def test_the_date_of_an_answer() -> None:
    assert date_ms({"date": "Mon, 23 Nov 2026 12:00:00 GMT"}) == int(NOW.timestamp() * 1000)
    assert date_ms({"date": "Mon, 23 Nov 2026 12:00:00 -0000"}) == int(NOW.timestamp() * 1000)
    assert date_ms({}) is None
    assert date_ms({"date": "yesterday"}) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, PageInfo()),
        ([], PageInfo()),
        ("x", PageInfo()),
        ({}, PageInfo()),
        ({"total_count": 5, "end_cursor": "c", "excluded_count": 2}, PageInfo(5, "c", 2)),
        ({"total_count": "5", "end_cursor": None}, PageInfo()),
        ({"total_count": True, "end_cursor": 7}, PageInfo()),
        ({"total_count": -1, "end_cursor": ""}, PageInfo()),
        ({"total_count": 1.5, "end_cursor": ["c"]}, PageInfo()),
        ({"total_count": 0, "end_cursor": "\ud83d"}, PageInfo(0)),
        ({"total_count": 10**30, "end_cursor": "💥"}, PageInfo(10**30, "💥")),
    ],
)
def test_page_info_lies(value: object, read: PageInfo) -> None:
    assert page_info(value) == read


NO_ENVELOPES = [
    *(b"", b" ", b"null", b"[]", b"5", b'"x"', b"true", b"<html>busy</html>", b"\xff\xfe\x00"),
    *(b"{}", b'{"data":null}', b'{"data":"x"}', b'{"data":5}', b'{"data":true}'),
    *(b'{"error":"record not found"}', b'{"errors":[]}', b'{"data":{"id":"x"}', b'{"data":[{}'),
    *(b'{"data":[1]}', b'{"data":[{"id":"a"},null]}', b'{"Data":[]}', b'{"data" []}'),
    b"[" * 100_000 + b"]" * 100_000,
    b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"data":[{"n":' + b"7" * 5000 + b"x}]}",
]


@pytest.mark.parametrize("body", NO_ENVELOPES, ids=lambda b: repr(b[:30]))
def test_what_is_no_envelope_is_an_error(body: bytes) -> None:
    for read in (read_object, read_list):
        with pytest.raises(ProtocolError, match="documents") as caught:
            read(ok(body, 203), "/users/me")
        assert (caught.value.path, caught.value.status) == ("/users/me", 203)
        assert len(str(caught.value)) < 1500


def test_an_object_is_not_a_list_and_a_list_no_object() -> None:
    with pytest.raises(ProtocolError):
        read_object(ok('{"data":[]}'), "/x")
    with pytest.raises(ProtocolError):
        read_list(ok('{"data":{"id":"u_1"}}'), "/x")
    for body in ('{"data":{}}', '{"data":{"id":null}}', '{"data":{"id":""}}'):
        with pytest.raises(ProtocolError):
            read_object(ok(body), "/x")


def test_an_excerpt_is_short_and_printable() -> None:
    with pytest.raises(ProtocolError) as caught:
        read_object(ok(b"\x1b[2J\xff<html>" + b"z" * 9000), "/x")
    assert caught.value.excerpt.startswith("\\x1b[2J\ufffd<html>z")
    assert len(caught.value.excerpt) < 250


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_what_is_odd_but_json_is_read(bom: bytes) -> None:
    body = bom + b' {"data":[{"id":"a","n":NaN,"s":"\\ud83d"}],"page_info":{"total_count":1}} \n'
    objects, info = read_list(ok(body), "/x")
    assert (objects[0]["id"], objects[0]["s"], info.total_count) == ("a", "\ud83d", 1)
    assert read_list(ok(bom + b'{"data":[]}'), "/x") == ([], PageInfo())
    assert read_object(ok(bom + b'{"data":{"id":"u_1"}}'), "/x") == {"id": "u_1"}


@given(st.binary(max_size=60) | st.from_regex(rb'\{"data":[\[\]{}"a:,0-9]{0,20}\}', fullmatch=True))
def test_no_bytes_upset_the_readers(body: bytes) -> None:
    for read in (read_object, read_list):
        try:
            read(ok(body), "/x")
        except ProtocolError:
            continue
    assert isinstance(error_text(ok(body)), str)


@given(st.dictionaries(st.text(), st.integers() | st.text(), max_size=3))
def test_a_list_comes_back_as_it_was(item: dict[str, Any]) -> None:
    body = json.dumps({"data": [item], "page_info": {"end_cursor": "x"}})
    assert read_list(ok(body), "/x") == ([item], PageInfo(None, "x"))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error":"record not found"}', "record not found"),
        (b'{"error":{"deep":1}}', '{"error":{"deep":1}}'),
        (b'{"error":"a\\u001b[1m"}', "a\\x1b[1m"),
        (b"<html>", "<html>"),
        (b"", ""),
    ],
)
def test_the_text_of_an_error(body: bytes, text: str) -> None:
    assert error_text(ok(body, 404)) == text


def test_an_answer_shows_neither_headers_nor_body() -> None:
    assert "secret" not in repr(Answer(401, {"echo": "secret"}, b"secret"))
