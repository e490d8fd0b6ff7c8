"""The published components that the sandbox knows, by key and by address, without a network.

The code is a stand-in for the published one: it has the props, and no logic that anything runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import Any, NamedTuple

from pipedream_source.sandbox.content.component_code import HTTP, TIMER

ADDRESS = re.compile(
    r"https://(?:github\.com/PipedreamHQ/pipedream/(?:blob|tree|raw)"
    r"|raw\.githubusercontent\.com/PipedreamHQ/pipedream)/[\w./-]+?"
    r"/components/([\w-]+)/sources/([\w-]+)/\2\.\w+"
)
_OLD_RSS = re.compile(r"https://github\.com/PipedreamHQ/pipedream/(?:\S+/)?components/rss/rss\.js")


class Published(NamedTuple):
    """A published component: its code and the payload kind of what its sources emit."""

    key: str
    code: str
    kind: str


def _timer(seconds: int) -> dict[str, Any]:
    return {"type": TIMER, "default": {"intervalSeconds": seconds}}


def _app(slug: str) -> dict[str, str]:
    return {"type": "app", "app": slug}


_DB = "$.service.db"
_FEED = {
    "type": "string",
    "label": "Feed URL",
    "description": "Enter the URL for any public RSS feed.",
}
_REPO = {"type": "string", "label": "Repository", "description": "The name of the repository."}
_GITHUB = {"github": _app("github"), "repoFullname": _REPO, "http": HTTP, "db": _DB}

# Key, name, version, props, payload kind. The first is the documentation's example (Create a
# component), and answers as it is printed there.
_TABLE: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
    ("rss-new-item-in-feed", "rss", "0.0.1", {"url": _FEED, "timer": _timer(900)}, "rss"),
    ("github-new-repository", "New Repository", "0.1.0", _GITHUB, "github"),
    ("github-webhook-events", "New Webhook Event (Instant)", "1.0.4", _GITHUB, "github"),
    (
        *("github-new-or-updated-issue", "New or Updated Issue (Instant)", "1.2.1"),
        *(_GITHUB, "github_issues"),
    ),
    ("github-new-commit", "New Commit (Instant)", "1.0.11", _GITHUB, "github_code"),
    ("github-new-workflow-run", "New Workflow Run (Instant)", "0.0.4", _GITHUB, "github_ci"),
    (
        *("http-new-requests", "New Requests", "0.1.4"),
        *({"http": HTTP, "emitBodyOnly": {"type": "boolean", "default": False}}, "http"),
    ),
    (
        *("http-new-requests-payload-only", "New Requests (Payload Only)", "0.1.1"),
        *({"http": HTTP}, "http"),
    ),
    (
        *("http-new-changes", "New Changes of a Request", "0.0.3"),
        *({"httpRequest": {"type": "http_request"}, "timer": _timer(900), "db": _DB}, "http"),
    ),
    (
        *("stripe-custom-webhook-events", "New Custom Webhook Events", "0.1.2"),
        *({"stripe": _app("stripe"), "http": HTTP, "db": _DB}, "stripe"),
    ),
    (
        *("schedule-custom-interval", "Custom Interval", "0.0.2"),
        *({"timer": _timer(900)}, "timer"),
    ),
    (
        *("google_sheets-new-row-added", "New Row Added", "0.1.14"),
        *({"googleSheets": _app("google_sheets"), "timer": _timer(900), "db": _DB}, "sheets"),
    ),
    (
        *("slack-new-message-in-channels", "New Message In Channels (Instant)", "1.0.24"),
        *({"slack": _app("slack"), "conversations": {"type": "string[]"}, "db": _DB}, "slack"),
    ),
    (
        *("shopify-new-order", "New Order", "0.0.12"),
        *({"shopify": _app("shopify"), "http": HTTP, "db": _DB}, "order"),
    ),
    ("sensors-stock-level", "Stock Level", "0.0.1", {"http": HTTP}, "stock"),
)

# The component behind a seeded or ordered source, by the kind of what it emits.
KEY_OF_KIND = {
    "rss": "rss-new-item-in-feed",
    "github": "github-webhook-events",
    "github_issues": "github-new-or-updated-issue",
    "github_code": "github-new-commit",
    "github_ci": "github-new-workflow-run",
    "http": "http-new-requests",
    "stripe": "stripe-custom-webhook-events",
    "timer": "schedule-custom-interval",
    "sheets": "google_sheets-new-row-added",
    "slack": "slack-new-message-in-channels",
    "order": "shopify-new-order",
    "stock": "sensors-stock-level",
}


@cache
def published() -> dict[str, Published]:
    """Return the known components by key."""
    return {
        key: Published(key, _code(key, name, version, props), kind)
        for key, name, version, props, kind in _TABLE
    }


def at_address(url: str) -> Published | None:
    """Return the known component that is published at an address."""
    if _OLD_RSS.fullmatch(url):
        return published()["rss-new-item-in-feed"]
    match = ADDRESS.fullmatch(url)
    if match is None:
        return None
    app, slug = match.groups()
    # Some files are named without their app, some keys begin with it.
    return published().get(f"{app}-{slug}") or published().get(slug)


def of_kind(kind: str) -> Published:
    """Return the component whose sources emit such events."""
    return published()[KEY_OF_KIND.get(kind, "http-new-requests")]


def registry_id(key: str) -> str:
    """Return the id that a published component has, the same in every workspace."""
    return "sc_" + hashlib.sha256(key.encode()).hexdigest()[:6]


def _code(key: str, name: str, version: str, props: dict[str, Any]) -> str:
    members = json.dumps(props, indent=2, ensure_ascii=False).replace("\n", "\n  ")
    return (
        f"// A stand-in of the published component: its props, and a run that only emits.\n"
        f"export default {{\n"
        f"  key: {json.dumps(key)},\n"
        f"  name: {json.dumps(name)},\n"
        f"  version: {json.dumps(version)},\n"
        f'  type: "source",\n'
        f"  props: {members},\n"
        f"  async run(event) {{\n"
        f"    this.$emit(event);\n"
        f"  }},\n"
        f"}};\n"
    )
