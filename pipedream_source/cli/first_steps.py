"""What to do first, for those who have not configured anything."""

from __future__ import annotations

import os

from rich.console import Console

from pipedream_source.cli.config import is_configured
from pipedream_source.cli.console import grid

_GIVEN = ("PIPEDREAM_API_KEY", "PIPEDREAM_CLIENT_ID")
_STEPS = (
    ("pipedream-source init", "writes .dlt/secrets.toml, which wants your API key"),
    ("pipedream-source load", "then loads what is there, and each time what is new"),
    ("pipedream-source demo", "shows it all without an account"),
)


def is_first_run() -> bool:
    """Tell whether neither the environment nor a file of dlt's says anything of us."""
    return not any(os.environ.get(name) for name in _GIVEN) and not is_configured()


def print_first_steps(console: Console) -> None:
    """Write three lines: how to begin with an account, and without."""
    console.print(grid((f"[bold]{verb}[/]", told) for verb, told in _STEPS))
