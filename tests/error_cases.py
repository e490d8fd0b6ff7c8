"""Cases of the rule that groups errors, for whoever implements it: the marts, the notebook.

Errors of one group have one fingerprint, and no two groups have the same.
"""

import json
from dataclasses import dataclass
from typing import Any

HASH, OTHER_HASH = "685c7a680d055eaf505b08d5d814feef9fabd516d5960837d2e0838d3e1c9ed1", "0" * 40
_CODE = "file:///tmp/__pdg__/dist/code"
_BEFORE = (
    "    at new Runtime (file:///var/task/node_modules/@lambda-v2/component-runtime/src/run.js:9:1)\n"
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)\n"
)
_AFTER = (
    "    at async null.executeComponent (/var/task/launch_worker.js:299:53)\n"
    "    at async MessagePort.messageHandler (/var/task/launch_worker.js:764:28)"
)


@dataclass(frozen=True)
class Group:
    """Errors that are the same error.

    Attributes:
        errors: what stands under `error` in each payload.
        message: their message, normalised.
        frame: their top frame.
    """

    name: str
    errors: tuple[Any, ...]
    message: str | None = None
    frame: str | None = None

    @property
    def payloads(self) -> list[str]:
        """Each error as the payload of an event."""
        return [json.dumps({"original_event": {}, "error": error}) for error in self.errors]


def _texts(*messages: str, message: str) -> Group:
    return Group(messages[0], tuple({"msg": text} for text in messages), message)


def _stacks(name: str, *stacks: str, frame: str | None) -> Group:
    errors = tuple({"msg": name, "stack": f"Error: {name}\n{stack}"} for stack in stacks)
    return Group(name, errors, name, frame)


MESSAGES = (
    _texts(
        *("took 3 seconds", "took 2.5 seconds", "took 1,050.25 seconds", "took 1e-7 seconds"),
        *("took  -0.5\tseconds", "took 12ms seconds"),
        message="took <n> seconds",
    ),
    _texts("950 bytes left", "1,050 bytes left", "1.050.000 bytes left", message="<n> bytes left"),
    _texts(
        *("due 2026-11-02T10:10:00Z.", "due 2026-11-02T10:10:00.123Z."),
        *("due 2026-11-02T10:10:00.123+01:00.", "due 10:10:00.", "due 10:10:00,123."),
        message="due <n>.",
    ),
    _texts(
        *("connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED ::1:5432"),
        *("connect ECONNREFUSED 10.0.0.12", "connect ECONNREFUSED [fe80::abcd:1]:5432"),
        *("connect ECONNREFUSED 2001:DB8::FF00:42:8329", "connect ECONNREFUSED ::ffff:10.0.0.1"),
        message="connect ECONNREFUSED <n>",
    ),
    _texts(
        *('GET "https://api.example.com/v2/x?y=1" failed', 'GET "HTTPS://API.example.com" failed'),
        *('GET "http://user:word@[::1]:80/#a" failed', 'GET "s3://bucket/key" failed'),
        message='GET "<url>" failed',
    ),
    _texts("mail to ada@example.com", "mail to a.b+c@mail.example", message="mail to <email>"),
    _texts(
        *("no source dc_2kzeOv", "no source dc_Fvvuug", "no source p_kzCovPq"),
        *("no source 7f3d1c9e-0000-4000-8000-a1b2c3d4e5f6", "no source 4711"),
        message="no source <n>",
    ),
    *(
        _texts(
            f"Request failed with status code {status}",
            message=f"Request failed with status code {status}",
        )
        for status in (401, 404, 429)
    ),
    _texts(
        "HTTP/1.1 503 for 17 rows", "HTTP/1.1 503 for 4 rows", message="HTTP/<n> 503 for <n> rows"
    ),
    _texts("HTTP/1.1 502 for 17 rows", message="HTTP/<n> 502 for <n> rows"),
    *(
        _texts(text.format(status), message=text.format(status))
        for status in (403, 500)
        for text in (
            *(
                "Response code {} (Failed)",
                "server response: {}",
                "HTTP Error {}: no",
                "E (code {})",
            ),
            *("HTTPError: {}", "status of {}", "status_code={};"),
        )
    ),
    _texts('{"statusCode":500}', message='{"statusCode":500}'),
    _texts("Status: 409, status=410", message="Status: 409, status=410"),
    _texts("status 4041", "status 17", "status 404x", message="status <n>"),
    _texts("order 404 failed", "order 429 failed", message="order <n> failed"),
    _texts("cannot read p_value of Net::Http", message="cannot read p_value of Net::Http"),
    _texts("it's over\n\n  there", "it's over there", message="it's over there"),
    _texts("x" * 300 + "a", "x" * 300 + "b", message="x" * 300),
    Group("code", ({"code": "E", "msg": "m"}, {"code": "E", "message": "m"}), "m"),
    Group("other code", ({"code": "F", "msg": "m"},), "m"),
)
OWN = f"run ({_CODE}/<hash>/code/step.mjs)"
STACKS = (
    _stacks(
        "in a step",
        f"    at run ({_CODE}/{HASH}/code/step.mjs:3:9)",
        f"    at run ({_CODE}/{OTHER_HASH}/code/step.mjs:80:11)\n{_AFTER}",
        f"{_BEFORE}    at async run ({_CODE}/{HASH}/code/step.mjs?v=1699:3:9)\n{_AFTER}",
        "    at JSON.parse (<anonymous>)\n"
        f"    at run ({_CODE}/{HASH}/code/step.mjs:4:1)\r\n{_AFTER}",
        "    at settle (/var/task/node_modules/axios/lib/core/settle.js:19:12)\n"
        f"    at node:internal/main:1:2\n    at async run ({_CODE}/{HASH}/code/step.mjs:4:1)",
        "    at processTicksAndRejections (internal/process/task_queues.js:97:5)\n"
        f"    at run ({_CODE}/{HASH}/code/step.mjs:4:1)",
        frame=OWN,
    ),
    _stacks(
        "of a library",
        f"{_BEFORE}    at settle (/app/{HASH}/node_modules/.pnpm/axios@1.6.0/axios.js:1:9)\n"
        f"{_AFTER}",
        "    at settle (/app/0123456789ab/node_modules/.pnpm/axios@1.7.2/axios.js:2:9)",
        frame="settle (/app/<hash>/node_modules/.pnpm/axios@<version>/axios.js)",
    ),
    _stacks("of the platform", _BEFORE + _AFTER, "", "no frame", frame=None),
    _stacks(
        "at the top of a file",
        "    at Object.<anonymous> (/user.js:1:1)\n    at Module._compile (node:internal:1:1)",
        frame="Object.<anonymous> (/user.js)",
    ),
    _stacks("elsewhere", "    at run (file:///user.mjs:3:9)", frame="run (file:///user.mjs)"),
    Group(
        "the same elsewhere",
        ({"msg": "elsewhere", "stack": "E\n    at go (file:///user.mjs:3:9)"},),
        "elsewhere",
        "go (file:///user.mjs)",
    ),
)
BARE = (
    Group("a text", ("socket hang up 1", "socket hang up 2"), "socket hang up <n>"),
    Group("another text", ("no such table",), "no such table"),
    Group("a truth", (True,), "true"),
    Group("a number", (5, 2.5), "<n>"),
    Group("nothing", (None, {}, {"msg": None}, [], [{"code": "E"}])),
)
GROUPS = (*MESSAGES, *STACKS, *BARE)
#: Payloads that are the error themselves, and the group that they belong to.
PAYLOADS = {
    '"socket hang up 3"': "a text",
    '"no such table"': "another text",
    "true": "a truth",
    "-7": "a number",
    "null": "nothing",
    '["socket hang up"]': "nothing",
    "{}": "nothing",
}


def cases() -> list[tuple[str, Group]]:
    """Return every payload with the group that it belongs to."""
    named = {group.name: group for group in GROUPS}
    assert len(named) == len(GROUPS)
    held = [(payload, group) for group in GROUPS for payload in group.payloads]
    return held + [(payload, named[name]) for payload, name in PAYLOADS.items()]


def check(found: list[tuple[str, str | None, str | None, str]]) -> None:
    """Check what an implementation made of `cases`.

    Args:
        found: of each case, in order: its payload, message normalised, top frame, fingerprint.
    """
    due = cases()
    assert len(found) == len(due)
    prints: dict[str, set[str]] = {}
    for (payload, group), (told, message, frame, fingerprint) in zip(due, found, strict=True):
        assert (told, message, frame) == (payload, group.message, group.frame), group.name
        prints.setdefault(group.name, set()).add(fingerprint)
    assert [name for name, of in prints.items() if len(of) > 1] == []
    assert len(set.union(*prints.values())) == len(GROUPS)
