"""Verbs of a kind under one word, such as `sources list`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer

from pipedream_source.cli.command.errors import guarded


def examples(*lines: str) -> str:
    """Return examples as the end of a verb's help; each line without the command's name."""
    return "\n\n".join(["[bold]Examples[/]", *(f"  pipedream-source {line}" for line in lines)])


def about(function: Callable[..., None]) -> str:
    """Return what a verb's docstring says, each paragraph in one line: typer keeps the breaks."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(" ".join(text.split()) for text in paragraphs)


class Group:
    """A word of the command with verbs below it.

    Attributes:
        name: the word.
        app: what typer runs.
    """

    def __init__(self, name: str, about: str) -> None:
        """Begin without verbs."""
        self.name = name
        self.app = typer.Typer(name=name, help=about, no_args_is_help=True, rich_markup_mode="rich")

    def verb(self, name: str, *usage: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Add a function as a verb.

        Args:
            name: the verb.
            *usage: examples, each what stands after the verb.
        """
        lines = [f"{self.name} {name} {rest}".rstrip() for rest in usage or ("",)]

        def add(function: Callable[..., None]) -> Callable[..., None]:
            run: Any = guarded(function)
            self.app.command(name, help=about(function), epilog=examples(*lines))(run)
            return function

        return add
