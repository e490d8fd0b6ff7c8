"""The emitters of a fresh workspace, as a table: what people read to know what stands there.

Paces keep every stream under some 70 events an hour, so that whoever polls hourly loses nothing
until a test makes it so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipedream_source.sandbox.content.paces import AnyPace, Bursty, Diurnal, Past, Steady

ME = "me"
MAIN = "main"
SECOND = "second"


@dataclass(frozen=True)
class FeedPlan:
    """A channel that emits events of a kind by itself; without a pace only on request."""

    kind: str
    pace: AnyPace | None
    channel: str = ""


@dataclass(frozen=True)
class SourcePlan:
    """A source to be made: `listed` names the lists it stands in, the first one owns it."""

    name: str
    listed: tuple[str, ...]
    feeds: tuple[FeedPlan, ...]
    props: dict[str, Any] = field(default_factory=dict)
    active: bool = True


@dataclass(frozen=True)
class WorkflowPlan:
    """A workflow to be made: `trigger` is the name of the emitter that starts it."""

    name: str
    trigger: str
    emits: AnyPace | None
    errors: AnyPace | None
    calls: str | None = None


_REPO = {"repoFullname": "octo-org/octo-repo", "github": {"authProvisionId": "apn_Kph7eMr"}}
_TIMER = {"timer": {"cron": None, "interval_seconds": 900}}
_ENDPOINT = {"http": {"endpoint_url": "https://eo3x7.m.pipedream.net"}}


def _request(url: str, token: str) -> dict[str, Any]:
    auth = {"type": "bearer", "username": None, "password": None, "token": token}
    return {"httpRequest": {"url": url, "method": "GET", "auth": auth, "headers": []}, **_TIMER}


SOURCES = (
    SourcePlan("GitHub issues", (MAIN,), (FeedPlan("github_issues", Steady(24)),), _REPO),
    SourcePlan("GitHub code", (MAIN,), (FeedPlan("github_code", Diurnal(38)),), _REPO),
    SourcePlan("GitHub checks", (MAIN,), (FeedPlan("github_ci", Bursty(45)),), _REPO),
    SourcePlan("GitHub organization", (MAIN,), (FeedPlan("github", Steady(8)),), _REPO),
    SourcePlan(
        "Company blog",
        (ME,),
        (FeedPlan("rss", Steady(3)), FeedPlan("log_line", Steady(4), "$logs")),
        {"url": "https://blog.example.com/feed.xml", **_TIMER},
    ),
    SourcePlan("Contact form", (MAIN,), (FeedPlan("http", Diurnal(12)),), _ENDPOINT),
    SourcePlan("Stripe payments", (MAIN,), (FeedPlan("stripe", Diurnal(40)),), _ENDPOINT),
    SourcePlan(
        "Every three minutes",
        (ME,),
        (FeedPlan("timer", Steady(20, jitter=0)),),
        {"timer": {"cron": None, "interval_seconds": 180}},
    ),
    SourcePlan(
        "Shop orders",
        (MAIN,),
        (
            FeedPlan("order", Steady(30)),
            FeedPlan("order", Steady(20), "order.placed"),
            FeedPlan("stock", Steady(1.5), "stock.low"),
        ),
        _ENDPOINT,
    ),
    SourcePlan(
        "Partner API",
        (MAIN, ME),
        (FeedPlan("http", Steady(10)),),
        _request("https://api.partner.example.com/v2/changes", "ptn_live_5f1d7a84be61"),
    ),
    SourcePlan("Deploy hooks", (MAIN,), (FeedPlan("http", None),), _ENDPOINT),
    SourcePlan("Sensor gateway", (MAIN,), (FeedPlan("stock", Steady(40)),), _ENDPOINT),
    SourcePlan("Newsletter signups", (MAIN,), (FeedPlan("http", Steady(1)),), _ENDPOINT),
    SourcePlan("Leads sheet", (SECOND,), (FeedPlan("sheets", Steady(6)),), _TIMER),
    SourcePlan("Support chat", (SECOND,), (FeedPlan("slack", Diurnal(36)),), {}),
    SourcePlan(
        "Legacy inventory",
        (SECOND,),
        (FeedPlan("stock", Past(4)),),
        _request("https://inventory.example.com/export", "inv-0c6b2f93"),
        active=False,
    ),
)

# "Nightly backfill" is in no subscription and in no error of another workflow: only who knows
# its id can read it. "Invoice renderer" shows only in the errors of the workflow that calls it.
WORKFLOWS = (
    WorkflowPlan("Ledger sync", "Stripe payments", Steady(12), Bursty(12)),
    WorkflowPlan("Issue triage", "GitHub issues", Steady(22), Steady(1.5)),
    WorkflowPlan("Order fulfilment", "Shop orders", Steady(18), Steady(4), "Invoice renderer"),
    WorkflowPlan("Error digest", "Company blog", Steady(2), None),
    WorkflowPlan("Invoice renderer", "Shop orders", Steady(3), Steady(2)),
    WorkflowPlan("Nightly backfill", "Leads sheet", Bursty(30), Past(3)),
)

# The list it stands in, emitter, listener, channel; `wh:` and `id:` name other things.
SUBSCRIPTIONS = (
    (MAIN, "Stripe payments", "Ledger sync", ""),
    (MAIN, "GitHub issues", "Issue triage", ""),
    (MAIN, "Shop orders", "Order fulfilment", "order.placed"),
    (MAIN, "id:p_*", "Error digest", "$errors"),
    (MAIN, "Stripe payments", "wh:0", ""),
    (ME, "Company blog", "wh:1", ""),
    (SECOND, "Support chat", "Issue triage", ""),
)

WEBHOOKS = (
    ("Warehouse intake", "payments for the warehouse", "https://intake.example.com/payments"),
    (None, None, "https://hooks.example.com/blog"),
)
