"""What runs use up: credits of a workspace; invocations and compute time of a user.

Every event that an emitter emits is counted as one run. The daily counters begin anew at midnight
(UTC); nothing stops when a quota is used up.
"""

from __future__ import annotations

from typing import Any

import msgspec

_DAY_MS = 86_400_000
_RUN_MS = 200


class Usage(msgspec.Struct):
    """The counters' day, and the credits of the billing period.

    Attributes:
        day: Days since 1970 that the daily counters are of.
        credits: Credits used since the sandbox began, of all owners.
    """

    day: int
    credits: int = 0

    @classmethod
    def beginning(cls, ms: int) -> Usage:
        """Begin to count at an instant."""
        return cls(ms // _DAY_MS)

    def charge(self, user: dict[str, Any], org: dict[str, Any] | None) -> None:
        """Count one run of the user's, or of a workspace's."""
        self.credits += 1
        if org is not None:
            org["daily_credits_used"] += 1
            return
        user["daily_invocations_used"] += 1
        user["daily_compute_time_used"] += _RUN_MS

    def roll(self, user: dict[str, Any], orgs: list[dict[str, Any]], ms: int) -> None:
        """Begin a new day when one has begun."""
        if ms // _DAY_MS <= self.day:
            return
        self.day = ms // _DAY_MS
        for org in orgs:
            org["daily_credits_used"] = 0
        user["daily_invocations_used"] = user["daily_compute_time_used"] = 0
