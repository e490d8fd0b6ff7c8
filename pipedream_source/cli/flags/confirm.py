"""Ask before something is deleted: show it, and have its name typed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pipedream_source.cli.output.console import err, shown
from pipedream_source.cli.output.objects import print_object
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError, PipedreamError

_MOST_TO_TYPE = 60


class NotConfirmed(PipedreamError):
    """What was typed is not the name: nothing was deleted."""


def can_ask() -> bool:
    """Tell whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def require_terminal(what: str) -> None:
    """Refuse to delete what nobody can be asked about.

    Raises:
        ConfigurationError: this is no terminal.
    """
    if not can_ask():
        raise ConfigurationError(
            f"Deleting {what} needs its name typed, and this is no terminal: say --yes to delete "
            "it without, or --dry-run to see the request"
        )


def confirm(item: Mapping[str, Any], what: str, *, does: str = "deletes") -> None:
    """Show an object and ask for its name, or for its id where the name cannot be typed.

    Args:
        item: the object.
        what: what is to be deleted of it, such as `source`.
        does: what is done to it, if it is not deleted.

    Raises:
        NotConfirmed: something else was typed, or nothing.
    """
    console = err()
    print_object(console, item)
    which, expected = _to_type(item)
    console.print(
        f"\nThis {does} the {what}. Type its {which}, [bold]{shown(expected)}[/], to go on: ",
        end="",
        soft_wrap=True,
    )
    sys.stderr.flush()
    try:
        typed = sys.stdin.readline()
    except KeyboardInterrupt:
        console.print()
        raise
    if typed.strip() != expected:
        done = "deleted" if does == "deletes" else "changed"
        raise NotConfirmed(f"That is not its {which}: nothing was {done}.")


def _to_type(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return what to type: the name, unless no keyboard has all of its characters."""
    name = item.get("name")
    if isinstance(name, str) and name:
        plain = " ".join(printable(name, _MOST_TO_TYPE).split())
        if name == plain and name.isprintable():
            return "name", name
    return "id", str(item.get("id"))
