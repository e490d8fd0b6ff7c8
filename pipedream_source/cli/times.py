"""Times as people give them: a moment, or a period back from now."""

from __future__ import annotations

from datetime import UTC, datetime

from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import ConfigurationError


def time_of(text: str | None, flag: str = "--since") -> datetime | None:
    """Read ISO 8601 or a period such as 7d as a time in UTC; None stays None.

    Args:
        text: what was given.
        flag: with which flag.

    Raises:
        ConfigurationError: it is neither.
    """
    if text is None:
        return None
    from pipedream_source.resources.opening import parse_since

    try:
        found = parse_since(text) or 0
    except ConfigurationError:
        raise ConfigurationError(
            f"{flag} takes a period such as 7d, 12h or 30m, or a time such as "
            f"2026-11-01T00:00:00Z, not {printable(text)!r}"
        ) from None
    return datetime.fromtimestamp(found / 1000, UTC)
