"""OAuth tokens by the client-credentials grant."""

from __future__ import annotations

from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.tokens import LIFETIME_S
from pipedream_source.sandbox.world.site import Site

GRANT = "client_credentials"


def issue_token(site: Site, call: Call) -> Reply:
    """Exchange a client's id and secret for a token."""
    if call.params.get("grant_type") != GRANT:
        about = f"grant_type must be {GRANT}"
        return Reply.json({"error": "unsupported_grant_type", "error_description": about}, 400)
    client = (call.params.get("client_id"), call.params.get("client_secret"))
    if client != (site.client_id, site.client_secret):
        about = "client_id or client_secret is wrong"
        return Reply.json({"error": "invalid_client", "error_description": about}, 401)
    now_ms = site.clock.now_ms()
    token = site.tokens.issue(site.workspace.orgs[0]["id"], now_ms)
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_S}
    return Reply.json({**answer, "created_at": now_ms // 1000})
