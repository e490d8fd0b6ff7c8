"""What an emitter emits, as data: so that a state can be written down and read back.

A kind is the name of a payload maker, a workflow's errors, or one fixed event.
"""

from __future__ import annotations

from random import Random

import msgspec

from pipedream_source.sandbox.content.failures import WorkflowIdentity, failure
from pipedream_source.sandbox.content.payloads import KINDS, Payload


class Thrower(msgspec.Struct, frozen=True):
    """A workflow that throws, and the kind of event it throws over."""

    identity: WorkflowIdentity
    trigger: str


class Throws(msgspec.Struct, frozen=True, tag="throws"):
    """Errors of these workflows, each as often as it is named."""

    throwers: tuple[Thrower, ...]


class Fixed(msgspec.Struct, frozen=True, tag="fixed"):
    """The same event each time, as its text."""

    event: bytes


Kind = str | Throws | Fixed


def make(kind: Kind, rng: Random, ms: int) -> Payload:
    """Make an event of a kind."""
    if isinstance(kind, str):
        return KINDS[kind](rng, ms)
    if isinstance(kind, Fixed):
        return Payload(kind.event, {})
    throwers = kind.throwers
    thrower = rng.choice(throwers) if len(throwers) > 1 else throwers[0]
    original = KINDS[thrower.trigger](rng, ms).event
    return failure(thrower.identity, original, rng, ms)
