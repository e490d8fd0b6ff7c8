"""Answers to changes: what counts as done, and what is never taken for it."""

from __future__ import annotations

import pytest

from pipedream_source.api.protocol import Answer
from pipedream_source.api.replies import (
    read_bare,
    read_made,
    read_nothing,
    read_objects,
    read_objects_if_any,
)
from pipedream_source.exceptions import ProtocolError


def answer(status: int, body: str) -> Answer:
    return Answer(status, {}, body.encode())


@pytest.mark.parametrize(
    ("status", "body"),
    [(202, ""), (204, ""), (202, "Accepted"), (200, ""), (200, " \n"), (200, "{}")],
)
def test_a_deletion_is_done(status: int, body: str) -> None:
    read_nothing(answer(status, body), "/x")


@pytest.mark.parametrize("body", ["<html>busy</html>", '{"error":"no"}', "[]", "null", "OK"])
def test_a_page_of_a_proxy_is_no_deletion(body: str) -> None:
    with pytest.raises(ProtocolError):
        read_nothing(answer(200, body), "/x")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"data":[{"id":"sub_1"}]}', [{"id": "sub_1"}]),
        ('{"data":{"id":"sub_1"}}', [{"id": "sub_1"}]),
        ('{"data":[]}', []),
    ],
)
def test_subscriptions_come_in_several_forms(body: str, found: list[object]) -> None:
    for read in (read_objects, read_objects_if_any):
        assert read(answer(200, body), "/x") == found


@pytest.mark.parametrize("data", ["{}", "[]", "[{}]", '[{"id":"sub_1"},{}]'])
def test_what_names_nothing_made_nothing(data: str) -> None:
    reply = answer(200, f'{{"data":{data}}}')
    with pytest.raises(ProtocolError, match="names nothing that was made"):
        read_made(reply, "/x")
    assert {} not in read_objects_if_any(reply, "/x")


def test_what_was_made_is_named() -> None:
    assert read_made(answer(200, '{"data":[{"id":"sub_1"}]}'), "/x") == [{"id": "sub_1"}]


@pytest.mark.parametrize("body", ["", "\n"])
def test_an_empty_body_is_an_answer_only_where_nothing_is_documented(body: str) -> None:
    assert read_objects_if_any(answer(200, body), "/x") == []
    with pytest.raises(ProtocolError):
        read_objects(answer(200, body), "/x")


@pytest.mark.parametrize(
    "body", ["{}", '{"data":null}', '{"data":"x"}', '{"data":[1]}', "<html>", '{"error":"x"}']
)
def test_what_holds_no_subscriptions_is_an_error(body: str) -> None:
    for read in (read_objects, read_objects_if_any):
        with pytest.raises(ProtocolError):
            read(answer(200, body), "/x")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"triggers":[],"steps":[]}', {"triggers": [], "steps": []}),
        ('{"data":{"id":"p_1"}}', {"id": "p_1"}),
        ('{"id":"p_1","data":7}', {"id": "p_1", "data": 7}),
    ],
)
def test_a_workflow_has_no_wrapper(body: str, found: dict[str, object]) -> None:
    assert read_bare(answer(200, body), "/x") == found


@pytest.mark.parametrize("body", ["{}", "[]", '{"error":"x"}', '{"data":{}}', "", "<html>", "null"])
def test_what_is_no_workflow_is_an_error(body: str) -> None:
    with pytest.raises(ProtocolError):
        read_bare(answer(200, body), "/x")
