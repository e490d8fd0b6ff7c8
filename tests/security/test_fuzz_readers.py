"""Whatever bytes come, a reader returns or raises an error of ours; states and marks hold too."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from pipedream_source.api import replies
from pipedream_source.api.json_text import is_json, repair_surrogates
from pipedream_source.api.pages.event_page import EventPage, read_event_page
from pipedream_source.api.pages.walk import WindowWalk, walk_list
from pipedream_source.api.protocol import (
    Answer,
    Request,
    date_ms,
    error_text,
    read_list,
    read_object,
    retry_after_s,
)
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import dump_state, load_state
from pipedream_source.core.text.redaction import Redactor, printable, redact_members, redact_object
from pipedream_source.exceptions import ApiError, ProtocolError
from pipedream_source.settings import MAX_PAGES_PER_WINDOW
from tests.security.fuzzing import LENGTHS, fuzz, spoilt

ROW = b'{"id":"1700000000000-%d","indexed_at_ms":1,"event":{"a":[1,2]},"metadata":{"name":"x"}}'
PAGE = b'{"page_info":{"total_count":2,"count":2,"end_cursor":"c"},"data":[%s,%s]}'
WHOLES = [
    PAGE % (ROW % 1, ROW % 2),
    b"\xef\xbb\xbf" + PAGE % (ROW % 1, ROW % 2),
    PAGE % (b'{"id":"dc_1","name":"a"}', b'{"id":"dc_2"}'),
    b'{"data":{"id":"u_1","orgs":[{"id":"o_1"}]}}',
    b'{"data":[]}',
    b'{"error":"record not found"}',
    b"",
    b"<html>",
]
PIECES = [
    *(b"null", b"true", b"[]", b"{}", b'""', b"NaN", b"-0", b"1e999", b"1" * 5_000, b"[" * 20_000),
    *(b'"\\ud83d"', b'"\\u0000"', b"\xff", b"\xed\xa0\xbd", b'"', b"\\", b",", b":", b"}", b"]"),
    *(b'"id"', b'"data":', b'"page_info":', b'"end_cursor":', b'"event":', b'"id":"-1--1"'),
]
bodies = spoilt(WHOLES, PIECES) | st.binary(max_size=60)
headers = st.text(max_size=40) | st.sampled_from(
    ["-1", "9" * 400, "1e9", "Tue, 99 Foo 99999 99:99:99 GMT", "Sun, 06 Nov 1994 08:49:37 +9999"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud83d"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)

READERS: list[Callable[[Answer, str], Any]] = [
    read_event_page,
    read_list,
    read_object,
    replies.read_nothing,
    replies.read_objects,
    replies.read_objects_if_any,
    replies.read_bare,
]


@LENGTHS
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: str(reader.__name__))
def test_a_reader_of_answers(reader: Callable[[Answer, str], Any], examples: int) -> None:
    def check(body: bytes, status: int) -> None:
        answer = Answer(status, {}, body)
        with contextlib.suppress(ProtocolError):
            reader(answer, "/x")
        error_text(answer).encode("utf-8")

    fuzz(examples, check, bodies, st.sampled_from([200, 202, 204, 404]))


ASKED = Request("/sources/dc_1/event_summaries", {"limit": "100"})


def turns(pages: list[bytes]) -> Callable[[], Answer]:
    """Answer with these pages in turn; one more is an error of its own."""
    answers = iter([Answer(200, {}, page) for page in pages])
    return lambda: next(answers)


@LENGTHS
def test_a_walk_of_a_window_ends(examples: int) -> None:
    def check(pages: list[bytes]) -> None:
        walk, turn = WindowWalk(""), turns(pages * MAX_PAGES_PER_WINDOW)

        def fetch(request: Request) -> tuple[Answer, EventPage]:
            answer = turn()
            return answer, read_event_page(answer, request.path)

        with contextlib.suppress(ApiError):
            walk.run(fetch, ASKED)
        ids = [row.place for row in walk.rows]
        assert len(ids) == len(set(ids))

    fuzz(examples, check, st.lists(bodies, min_size=1, max_size=4))


@LENGTHS
def test_a_walk_of_a_list_ends(examples: int) -> None:
    def check(pages: list[bytes]) -> None:
        found, turn = 0, turns(pages * 20)
        with contextlib.suppress(ApiError):
            for _ in walk_list(lambda request: read_list(turn(), request.path), ASKED):
                found += 1
        assert found <= sum(page.count(b"{") for page in pages)

    fuzz(examples, check, st.lists(bodies, min_size=1, max_size=4))


@LENGTHS
def test_headers_that_tell_times(examples: int) -> None:
    def check(text: str) -> None:
        seconds = retry_after_s({"retry-after": text, "date": text}, datetime.now(UTC))
        assert seconds is None or seconds >= 0
        assert date_ms({"date": text}) is None or text

    fuzz(examples, check, headers)


@LENGTHS
def test_ids(examples: int) -> None:
    def check(texts: list[str]) -> None:
        parsed = [EventId.parse(text) for text in texts]
        whole = EventId.parse_all(texts)
        assert (whole is None) == (None in parsed)
        assert whole is None or [str(found) for found in whole] == texts

    like = st.from_regex(r"[0-9 +_-]{0,4}[1-9][0-9]{0,17}[-_. ][0-9٣]{1,20}\n?", fullmatch=True)
    fuzz(examples, check, st.lists(like | st.text(max_size=8), max_size=5))


STATE = dump_state(load_state({"h": "1700000000000-1", "r": "0.1 5 7.2", "p": 5, "g": "overrun"}))


@LENGTHS
def test_a_stored_state_is_read_or_refused(examples: int) -> None:
    def check(field: str, value: Any, whole: Any) -> None:
        for packed in ({**STATE, field: value}, {field: value}, whole):
            try:
                state = load_state(packed)
            except (ValueError, KeyError):
                continue
            assert json.dumps(dump_state(state))
            assert state.late_from_ms is not None
            assert state.is_settled in (True, False)

    fields = st.sampled_from(["h", "r", "u", "p", "e", "g", "v", "k", "s", "f", "q", "w", "x"])
    words = st.text(alphabet="0123456789.- e٣", max_size=12)
    shapes = st.lists(values, min_size=4, max_size=4)
    fuzz(examples, check, fields, values | words | shapes, values)


@LENGTHS
def test_redaction_takes_any_value(examples: int) -> None:
    def check(value: Any, secret: str, names: list[str]) -> None:
        redacted = redact_object(value, "salt")
        assert same(redact_object(redacted, "salt"), redacted)
        redact_members(value, names, "salt")
        redact_members(value, None)
        text = str(value)
        assert not ({*printable(text)} & {*map(chr, range(10)), "\x1b", "\x7f", "\u202e"})
        if len(secret.strip()) > 3:
            assert secret not in Redactor([secret])(text + secret).replace("[redacted]", "")

    names = st.lists(st.text(), max_size=3)
    fuzz(examples, check, values, st.text("abcdefghij/+=", max_size=20), names)


def same(one: object, other: object) -> bool:
    """Compare values in which NaN equals itself."""
    return repr(one) == repr(other)


@LENGTHS
def test_a_credential_anywhere_in_an_object_is_redacted(examples: int) -> None:
    secret = "hunter2-hunter2"

    def check(path: list[str | None], name: str, leaf: Any) -> None:
        value: Any = {name: leaf(secret)}
        for step in path:
            value = [value] if step is None else {step: value}
        assert secret not in json.dumps(redact_object(value))

    names = ["auth", "token", "apiKey", "PASSWORD", "client_secret", "x-api-key", "webhookSecret"]
    leaves = [lambda s: s, lambda s: [s], lambda s: {"a": {"b": s}}, lambda s: json.dumps({"a": s})]
    paths = st.lists(st.none() | st.text(max_size=6), max_size=6)
    fuzz(examples, check, paths, st.sampled_from(names), st.sampled_from(leaves))


@LENGTHS
def test_texts_are_json_or_not(examples: int) -> None:
    def check(text: bytes) -> None:
        if is_json(text):
            json.loads(repair_surrogates(text))

    wholes = [b'{"a":[1,-2.5e3,"x\\u0041",null,true]}', b"[[[]]]", b'"\\ud83d\\ude00"']
    fuzz(examples, check, spoilt(wholes, [p for p in PIECES if len(p) < 100]))
