"""Redirects: followed on the same host, refused where they would take the key elsewhere."""

from __future__ import annotations

from urllib.parse import urlencode

from tests.faults.fault import Fault, Inject, Victim
from tests.faults.wire import always
from tests.integration.contract import Reply

# Nobody listens there; a request would be told as a broken connection, not as refused.
ELSEWHERE = {
    "otherHost": ("another host", "http://127.0.0.2:9/v1/x"),
    "otherPort": ("another port", "http://127.0.0.1:9/v1/x"),
    "plain": ("another scheme", "https://127.0.0.1/v1/x"),
    "schemeless": ("a host without a scheme", "//evil.invalid/v1/x"),
    "user": ("a host behind a user", "http://127.0.0.1@evil.invalid/"),
    "file": ("a file", "file:///etc/passwd"),
    "script": ("javascript", "javascript:alert(1)"),
    "escapes": ("a host with terminal escapes", "http://evil.invalid\x1b[2J/"),
    "noUrl": ("what is no URL", "http://[::1/"),
    "noPort": ("a port that is none", "http://127.0.0.1:http/"),
}
STATUSES = (301, 302, 303, 307, 308)


def moved(location: str | None, status: int = 302) -> Reply:
    return Reply(b"", status, {} if location is None else {"Location": location})


def refused(name: str, happens: str, reply: Reply, told: str, asked: int | None = 1) -> Fault:
    return Fault(
        name,
        happens,
        always(reply),
        exit_code=3,
        told=told,
        stored=0,
        verdict="unknown",
        asked=asked,
    )


def back_to_itself(status: int) -> Inject:
    """Point once to the same window at the same host."""

    def inject(victim: Victim) -> None:
        path, left = f"/v1/sources/{victim.stream.emitter}/event_summaries", [status]
        victim.stream.answers = lambda query: (
            moved(f"{path}?{urlencode(query)}", left.pop()) if left else None
        )

    return inject


FAULTS = (
    *(
        refused(
            f"away{status}",
            f"{status} to another host",
            moved("http://127.0.0.2:9/", status),
            "the key is sent to no other host",
        )
        for status in STATUSES
    ),
    *(
        refused(name, f"302 to {what}", moved(location), "the API redirects to")
        for name, (what, location) in ELSEWHERE.items()
    ),
    refused("circle", "302 to itself", moved("?again"), "in a circle", None),
    refused("nowhere", "302 without a Location", moved(None), "in a circle", None),
    *(
        Fault(
            f"follow{status}",
            f"{status} on the same host, once",
            back_to_itself(status),
            asked=2,
        )
        for status in STATUSES
    ),
)
