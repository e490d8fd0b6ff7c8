"""Read what the API answers to changes, and to calls that it does not document."""

from __future__ import annotations

from typing import Any

from pipedream_source.api.protocol import Answer, protocol_error, read_envelope


def read_nothing(answer: Answer, path: str) -> None:
    """Accept the answer to a deletion: 202 or 204, with 200 no more than an object.

    Raises:
        ProtocolError: it is something else, such as a proxy's page, or an error with status 200.
    """
    if answer.status != 200 or not answer.body.strip():
        return
    if "error" in read_envelope(answer, path):
        raise protocol_error(answer, path, "it tells of an error")


def read_objects(answer: Answer, path: str) -> list[dict[str, Any]]:
    """Return the objects under `data`: a list of them, or a single one.

    Subscriptions are answered as a list where the documentation suggests one object.

    Raises:
        ProtocolError: `data` is anything else.
    """
    data = read_envelope(answer, path).get("data")
    found = [data] if isinstance(data, dict) else data
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise protocol_error(answer, path, "`data` is neither an object nor a list of objects")
    return found


def read_made(answer: Answer, path: str) -> list[dict[str, Any]]:
    """Return the objects under `data` that a call made, at least one.

    Raises:
        ProtocolError: `data` is anything else, or names nothing, such as `{}`.
    """
    found = read_objects(answer, path)
    if not found or not all(found):
        raise protocol_error(answer, path, "`data` names nothing that was made")
    return found


def read_objects_if_any(answer: Answer, path: str) -> list[dict[str, Any]]:
    """Return the objects under `data`; none for an empty body or `{}`, where none is documented.

    Raises:
        ProtocolError: `data` is anything else.
    """
    return [item for item in read_objects(answer, path) if item] if answer.body.strip() else []


def read_bare(answer: Answer, path: str) -> dict[str, Any]:
    """Return an object that stands without `data`, or with it.

    Raises:
        ProtocolError: it is empty or tells of an error.
    """
    value = read_envelope(answer, path)
    data = value.get("data")
    found: dict[str, Any] = data if isinstance(data, dict) else value
    if not found or "error" in found:
        raise protocol_error(answer, path, "it is no object of the API")
    return found
