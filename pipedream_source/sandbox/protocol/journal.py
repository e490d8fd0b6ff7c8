"""The log of the calls that the API's side got; it never holds a key."""

from __future__ import annotations

from collections import deque
from typing import Any

LONGEST = 20_000


class Journal:
    """The latest calls, oldest first, and how many older ones were dropped."""

    def __init__(self, secrets: tuple[str, ...] = (), longest: int = LONGEST) -> None:
        self._secrets = secrets
        self._entries: deque[dict[str, Any]] = deque(maxlen=longest)
        self._written = 0

    def add(
        self, *, method: str, path: str, query: str, status: int, ms: float, clock: str
    ) -> None:
        """Write one call down; status 0 is a call that got no answer."""
        self._written += 1
        self._entries.append(
            {
                "number": self._written,
                "method": method,
                "path": self._without_secrets(path),
                "query": self._without_secrets(query),
                "status": status,
                "ms": round(ms, 3),
                "clock": clock,
            }
        )

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def clear(self) -> None:
        """Forget all calls and begin to count anew."""
        self._entries.clear()
        self._written = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the entries and the number of dropped ones."""
        return {"data": list(self._entries), "dropped": self._written - len(self._entries)}
