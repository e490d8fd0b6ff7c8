"""Request targets in every form that clients send them: what path is meant, and which query."""

from __future__ import annotations

import re
from urllib.parse import unquote

# "GET http://host/v1/…": as to a proxy; every server must take it (RFC 9112, 3.2.2).
_ORIGIN = re.compile(r"https?://[^/?]*", re.IGNORECASE)
# "GET /workflows/{workflow_id}/event_summaries&expand=event" (Get Workflow Emits, and Errors).
_AND_IN_PATH = re.compile(r"(.*/event_summaries)/*&(.*)", re.DOTALL)


def read_target(path: str, query: str) -> tuple[str, str]:
    """Return the decoded path, without trailing slashes, and the query, still encoded.

    Args:
        path: All in front of the first question mark, as it was sent.
        query: All behind it.
    """
    if origin := _ORIGIN.match(path):
        path = path[origin.end() :]
    path = path.rstrip("/")
    if "&" in path and (match := _AND_IN_PATH.fullmatch(path)):
        path, misplaced = match.groups()
        query = f"{misplaced}&{query}" if query else misplaced
    path = unquote(path).rstrip("/") if "%" in path else path
    return path or "/", query
