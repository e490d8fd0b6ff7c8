"""stub."""

from __future__ import annotations

STATUS_EXAMPLES = GAPS_EXAMPLES = "x"


def status() -> None:
    """Stub."""


def gaps() -> None:
    """Stub."""
