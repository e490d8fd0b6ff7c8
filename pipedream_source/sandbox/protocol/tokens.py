"""OAuth tokens of the client-credentials grant: good for an hour, bound to one workspace."""

from __future__ import annotations

import hashlib

LIFETIME_S = 3600


class Tokens:
    """The tokens that were issued, each with its workspace and its end."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.issued = 0
        self.live: dict[str, tuple[str, int]] = {}

    def issue(self, org_id: str, now_ms: int) -> str:
        """Make a token for a workspace."""
        self.issued += 1
        digest = hashlib.sha256(f"{self._seed}:token:{self.issued}".encode()).hexdigest()
        token = f"sandbox_token_{digest[:40]}"
        self.live = {name: held for name, held in self.live.items() if held[1] > now_ms}
        self.live[token] = (org_id, now_ms + LIFETIME_S * 1000)
        return token

    def org_of(self, token: str, now_ms: int) -> str | None:
        """Return the workspace of a token, or None when it is none or is over."""
        org_id, until_ms = self.live.get(token, (None, 0))
        return org_id if now_ms < until_ms else None
