"""stub."""

from __future__ import annotations

EXAMPLES = "x"


def demo() -> None:
    """Stub."""
