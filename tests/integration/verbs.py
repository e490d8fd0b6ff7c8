"""The command's words with all flags, which it imports one at a time itself."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from pipedream_source.cli.app import app


def tree() -> Any:
    """The command itself: its own options, not those of its verbs."""
    return get_command(app)


def words() -> dict[str, Any]:
    """What may stand first on the command line: verbs, and groups of verbs."""
    return {name: announced.real for name, announced in tree().commands.items()}


def verbs() -> dict[str, Any]:
    """Every verb by its words, such as `load` and `sources list`."""
    return dict(_verbs(words()))


def _verbs(found: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in found.items():
        below = getattr(command, "commands", None)
        if below is None:
            yield " ".join((*above, name)), command
        else:
            yield from _verbs(below, (*above, name))


def flags(command: Any) -> set[str]:
    """All spellings of a verb's options."""
    found = (flag for one in command.params for flag in (*one.opts, *one.secondary_opts))
    return {flag for flag in found if flag.startswith("-")}
