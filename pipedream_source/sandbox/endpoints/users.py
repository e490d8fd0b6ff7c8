"""Users and workspaces."""

from __future__ import annotations

from pipedream_source.sandbox.endpoints.answers import one, org_seen, refuse_tokens
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.world.site import Site

_PERIOD_S = 30 * 86_400


def current_user(site: Site, call: Call) -> Reply:
    """Get Current User Info."""
    if site.switches.oauth_user == "refused":
        refuse_tokens(call)
    orgs = [org for org in site.workspace.orgs if call.org_id in (None, org["id"])]
    user = {**site.workspace.user, "orgs": orgs}
    if site.switches.user_plan == "paid":
        user = _paid(site)
    if site.switches.user_api_key == "present":
        user["api_key"] = site.api_key
    return one(user, call)


def _paid(site: Site) -> dict[str, object]:
    """Return the user as the documentation shows a paid one."""
    workspace = site.workspace
    start_s = site.workspace.start_ms // 1000
    period = start_s + max(0, site.clock.now_ms() // 1000 - start_s) // _PERIOD_S * _PERIOD_S
    return {
        **{name: workspace.user[name] for name in ("id", "username", "email")},
        "billing_period_start_ts": period,
        "billing_period_end_ts": period + _PERIOD_S,
        "billing_period_credits": workspace.usage.credits,
    }


def workspace(site: Site, call: Call) -> Reply:
    """Get a Workspace."""
    return one(site.workspace.org(org_seen(site, call, call.ids["org_id"])), call)
