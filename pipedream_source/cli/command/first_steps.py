"""What to do first, for those who have not configured anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipedream_source.cli.output.console import grid

if TYPE_CHECKING:
    from rich.console import Console

_STEPS = (
    ("pipedream-source init", "writes .dlt/secrets.toml, which wants your API key"),
    ("pipedream-source load", "then loads what is there, and each time what is new"),
    ("pipedream-source demo", "shows it all without an account"),
)


def print_first_steps(console: Console) -> None:
    """Write three lines: how to begin with an account, and without."""
    console.print(grid((f"[bold]{verb}[/]", told) for verb, told in _STEPS))
