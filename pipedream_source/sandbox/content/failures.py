"""What a workflow's `$errors` channel holds: the original event, its context and the error.

The documented sample, plus the keys that newer errors carry (`workflow_name`, `project_id`,
`trace_id`, `msg`, ...). An error may tell of another workflow than the one it is read from, when
that one was called by it: for some workflows this is the only trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from pipedream_source.sandbox.content.payloads import Payload, to_json
from pipedream_source.sandbox.protocol.clock import iso
from pipedream_source.sandbox.protocol.ids import ksuid, short_id


class _Kind(NamedTuple):
    code: str
    msg: str
    stack: str


_NODE = "    at {} (file:///var/task/user-script.mjs:{}:{})\n    at async Object.run (launch:132:9)"
_KINDS = (
    _Kind("TypeError", "Cannot read properties of undefined (reading 'email')", "Object.run"),
    _Kind("ERR_BAD_REQUEST", "Request failed with status code 429", "settle"),
    _Kind("InternalFailure", "An internal failure occurred", "Request.extractError"),
    _Kind("TIMEOUT", "Step exceeded the configured time limit of 30 s", "Timeout._onTimeout"),
    _Kind("ECONNRESET", "socket hang up", "TLSSocket.socketOnEnd"),
    _Kind("channel_not_found", "An API error occurred: channel_not_found", "platformError"),
    _Kind("SyntaxError", "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "JSON.parse"),
)


@dataclass(frozen=True)
class WorkflowIdentity:
    """What an error says of the workflow that threw it."""

    id: str
    name: str
    project_id: str
    deployment_id: str
    owner_id: str
    trigger_id: str
    cells: tuple[str, ...]


def failure(
    thrower: WorkflowIdentity,
    original: bytes,
    rng: Random,
    ms: int,
    *,
    emitter_id: str | None = None,
) -> Payload:
    """Make the error that this workflow throws over an event, given as its text.

    Args:
        thrower: The workflow.
        original: The event's text.
        rng: Draws the kind of error and the ids.
        ms: When it is thrown.
        emitter_id: Who emitted the event; the workflow's own trigger if not given.
    """
    started = ms - rng.randint(400, 29_000)
    context = to_json(_context(thrower, rng, started, emitter_id or thrower.trigger_id))
    error = to_json(_error(thrower, rng, ms))
    parts = b'{"original_event":', original, b',"original_context":', context, b',"error":'
    return Payload(b"".join((*parts, error, b"}")), {})


def _context(
    thrower: WorkflowIdentity, rng: Random, started: int, emitter_id: str
) -> dict[str, object]:
    return {
        "id": ksuid(started, rng),
        "ts": iso(started),
        "workflow_id": thrower.id,
        "workflow_name": thrower.name,
        "deployment_id": thrower.deployment_id,
        "project_id": thrower.project_id,
        "source_type": "COMPONENT",
        "verified": False,
        "owner_id": thrower.owner_id,
        "platform_version": "3.54.0",
        "emitter_id": emitter_id,
        "trace_id": ksuid(started, rng),
        "external_user_id": None,
        "test": False,
        "replay": False,
        "resume": None,
    }


def _error(thrower: WorkflowIdentity, rng: Random, ms: int) -> dict[str, object]:
    kind = rng.choice(_KINDS)
    stack = f"{kind.code}: {kind.msg}\n"
    stack += _NODE.format(kind.stack, rng.randint(3, 80), rng.randint(1, 60))
    return {
        "code": kind.code,
        "msg": kind.msg,
        "cellId": rng.choice(thrower.cells),
        "ts": iso(ms),
        "stack": stack,
    }


def new_identity(
    workflow_id: str, name: str, *, owner_id: str, trigger_id: str, rng: Random
) -> WorkflowIdentity:
    """Give a workflow the other ids that its errors show."""
    return WorkflowIdentity(
        id=workflow_id,
        name=name,
        project_id=short_id("proj", rng),
        deployment_id=short_id("d", rng, 8),
        owner_id=owner_id,
        trigger_id=trigger_id,
        cells=tuple(short_id("c", rng) for _ in range(3)),
    )
