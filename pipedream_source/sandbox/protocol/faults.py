"""Faults that a test orders: which calls they meet, and what becomes of the answer.

The parts of a fault combine: a delay alone slows the true answer, a status with a body replaces
it, `truncate` cuts whichever is sent. A fault that gives a status, a body or a redirect, or resets
before the answer, keeps the call from the endpoint; the others let it happen first.
"""

from __future__ import annotations

import base64
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal

import msgspec

from pipedream_source.sandbox.protocol.exchange import JSON_TYPE, Call, Reply

_PREFIX = "/v1"
HTML_TYPE = "text/html; charset=utf-8"
_PAGE = (
    b"<!DOCTYPE html><html><head><title>%d</title></head><body><center><h1>%d</h1></center>"
    b"<hr><center>proxy</center></body></html>"
)
_EFFECTS = (
    *("status", "headers", "body", "body_base64", "html", "redirect"),
    *("delay_s", "dribble_s", "truncate", "reset"),
)


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A rule.

    Attributes:
        path: A glob under `/v1` that the decoded path must match, such as
            `/v1/sources/*/event_summaries`.
        method: The only method it meets, or None for all.
        query: A glob for the raw query.
        count: How many calls it meets before it is used up; None is for ever.
        skip: How many calls it lets pass first.
        probability: How likely it meets each of the other calls; drawn from a seeded generator.
        status: Replaces the status.
        headers: Added to, or replacing, the reply's; null removes one.
        body: Replaces the body.
        body_base64: The same for bytes.
        html: Answers 502 (or `status`) with a proxy's page.
        redirect: Answers 302 (or `status`) with this `Location`.
        delay_s: Real seconds before the answer.
        dribble_s: Real seconds between the bytes of the body.
        truncate: Sends so many bytes of the body under its full length, then closes.
        reset: Resets the connection: before the call is handled (true), after it, or in the
            middle of the body.
    """

    path: str = "/v1/*"
    method: str | None = None
    query: str = "*"
    count: int | None = None
    skip: int = 0
    probability: float = 1.0
    status: int | None = None
    headers: dict[str, str | None] = {}
    body: str | None = None
    body_base64: str | None = None
    html: bool = False
    redirect: str | None = None
    delay_s: float = 0.0
    dribble_s: float = 0.0
    truncate: int | None = None
    reset: bool | Literal["before", "after", "body"] = False

    def __post_init__(self) -> None:
        """Refuse now what would fail when it is sent, or would never show."""
        base64.b64decode(self.body_base64 or "", validate=True)
        if not self.path.startswith(_PREFIX):
            raise ValueError(f"path begins with {_PREFIX}: faults meet calls of the API only")
        if not 0 < self.probability <= 1:
            raise ValueError("probability is over 0 and at most 1")
        if not (self.stands_in or self._changes_what_is_sent):
            raise ValueError(f"a fault does something: give one of {', '.join(_EFFECTS)}")

    @property
    def _changes_what_is_sent(self) -> bool:
        slow = self.delay_s > 0 or self.dribble_s > 0
        return slow or bool(self.headers or self.reset) or self.truncate is not None

    @property
    def stands_in(self) -> bool:
        """Whether the endpoint is not asked at all."""
        parts = (self.status, self.body, self.body_base64, self.redirect)
        given = any(part is not None for part in parts)
        return self.resets_before or self.html or given

    @property
    def resets_before(self) -> bool:
        """Whether the connection is reset instead of handling the call."""
        return self.reset in (True, "before")

    def meets(self, call: Call) -> bool:
        """Whether this call is one that the rule is about, used up or not."""
        return (
            self.method in (None, call.method)
            and fnmatchcase(call.path, self.path)
            and fnmatchcase(call.query, self.query)
        )

    def reply(self) -> Reply:
        """Return the answer that stands in for the true one."""
        status = self.status or (302 if self.redirect else 502 if self.html else 200)
        headers = {"content-type": HTML_TYPE if self.html else JSON_TYPE}
        if self.redirect:
            headers["location"] = self.redirect
        return Reply(status, self._body(status), headers)

    def _body(self, status: int) -> bytes:
        if self.body_base64 is not None:
            return base64.b64decode(self.body_base64)
        if self.body is not None:
            return self.body.encode()
        if self.html:
            return _PAGE % (status, status)
        return b"" if status < 400 else b'{"error":"fault %d"}' % status

    def changed(self, reply: Reply) -> Reply:
        """Return the reply with the fault's headers."""
        headers = dict(reply.headers)
        for name, value in self.headers.items():
            headers.pop(name.lower(), None)
            if value is not None:
                headers[name.lower()] = value
        return Reply(reply.status, reply.body, headers)


class Faults:
    """The rules in force; the first that meets a call decides it.

    Attributes:
        rng: Draws for the rules that have a probability.
    """

    def __init__(self, seed: int) -> None:
        self.rng = Random(f"{seed}:faults")  # noqa: S311 - repeatable, not secret
        self._rules: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, fault: Fault) -> None:
        """Put a rule behind those that are there."""
        self._rules.append(fault)

    def clear(self) -> None:
        """Drop all rules."""
        self._rules.clear()

    def take(self, call: Call) -> Fault | None:
        """Return the rule for this call and count it, or None."""
        for rule in self._rules:
            if rule.count == 0 or not rule.meets(call):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.probability < 1 and self.rng.random() >= rule.probability:
                continue
            if rule.count is not None:
                rule.count -= 1
            return rule
        return None

    @property
    def rules(self) -> list[Fault]:
        """The rules that can still meet a call."""
        return [rule for rule in self._rules if rule.count != 0]

    def as_list(self) -> list[Any]:
        """Return the rules that can still meet a call, with what is left of their counts."""
        return [msgspec.to_builtins(rule) for rule in self.rules]
