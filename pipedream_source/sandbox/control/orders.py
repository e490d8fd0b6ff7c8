"""The bodies of the control plane's calls, and how they are read."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from pipedream_source.sandbox.control.emission import Emission, NewEmitters
from pipedream_source.sandbox.control.snapshot import KeptWorkspace
from pipedream_source.sandbox.protocol.errors import InvalidParameter
from pipedream_source.sandbox.protocol.exchange import Call
from pipedream_source.sandbox.protocol.faults import Fault
from pipedream_source.sandbox.protocol.members import NotAnObject, set_aside

Order = TypeVar("Order")
FORMAT = 1


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `clock`: how far to move it, and at which speed it runs from then on."""

    advance_s: float = 0.0
    speed: float | None = None


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `reset`; without a seed the present one."""

    seed: int | None = None


class Deletion(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `delete`: both ends belong to the range, a missing one leaves it open."""

    emitter_id: str
    channel: str = ""
    start_id: str | None = None
    end_id: str | None = None


class Listening(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `listeners`: what an emitter does with the events that are delivered to it."""

    emitter_id: str
    on_event: str


class Publication(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `components`: code that is known at an address and in the registry from now on.

    Attributes:
        url: The `component_url` that finds it.
        code: Its code; the registry has it under the `key` in it.
        kind: The payload kind of what its sources emit.
    """

    url: str
    code: str
    kind: str = "http"


class KeptTime(msgspec.Struct):
    """The clock of a dump."""

    now_ms: int
    speed: float


class KeptTokens(msgspec.Struct):
    """The OAuth tokens of a dump: each with its workspace and its end."""

    issued: int
    live: dict[str, tuple[str, int]]


class State(msgspec.Struct):
    """What `dump` answers and `restore` takes."""

    format: int
    clock: KeptTime
    switches: dict[str, Any]
    faults: list[Fault]
    faults_rng: bytes
    tokens: KeptTokens
    published: list[Publication]
    workspace: KeptWorkspace


def read_order(call: Call, order: type[Order]) -> Order:
    """Read the body; an empty one means no settings.

    Raises:
        InvalidParameter: it is not such an order; the text says why.
    """
    try:
        return _decoded(call.body or b"{}", order)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter(str(error)) from None


def _decoded(body: bytes, order: type[Order]) -> Order:
    """Decode a body; an event that is no JSON is taken as the text that it is."""
    try:
        return msgspec.json.decode(body, type=order)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if order not in (Emission, NewEmitters):
            raise
        try:
            rest, texts = set_aside(body, ("event", "metadata"))
        except NotAnObject:
            texts = {}
        if not texts:
            raise
    read = msgspec.json.decode(rest, type=order)
    for name, text in texts.items():
        setattr(read, name, msgspec.Raw(text))
    return read
