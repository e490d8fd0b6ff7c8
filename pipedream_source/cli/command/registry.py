"""Registry of the verbs: each module is imported when its verb is the one that is named.

Importing them all and reading their flags takes longer than most of them run. What `--help` lists
therefore stands here: of each word its name and the first line of its own help.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from pipedream_source.cli.command.groups import Group, about


class Word(NamedTuple):
    """What may stand first on the command line.

    Attributes:
        name: the word.
        home: module within this package, and in it the function of a verb or the group of verbs.
        summary: the first line of its help.
        examples: the end of a verb's help, a name in that module; a group's verbs have their own.
    """

    name: str
    home: str
    summary: str
    examples: str = "EXAMPLES"


WORDS: Final = (
    Word(
        "demo",
        "run.demo:demo",
        "Load from a stand-in of Pipedream, let a burst overrun a stream, and see the loss found.",
    ),
    Word(
        "init",
        "run.init:init",
        "Write .dlt/config.toml and .dlt/secrets.toml, keep git off the secrets, and check them.",
    ),
    Word(
        "check",
        "run.check:check",
        "Ask what the key can read, how fast it fills, and what loading every 15m would lose.",
    ),
    Word(
        "load",
        "run.load:load",
        "Poll every stream once, load what is new, and tell of what was lost.",
    ),
    Word(
        "status",
        "read.status:status",
        "Show each stream: how complete it is, how fast it fills, how much room is left.",
    ),
    Word(
        "gaps",
        "read.gaps:gaps",
        "Show what was lost: which stream, when, and how many events at least, likely and at most.",
    ),
    Word(
        "prove",
        "read.prove:prove",
        "Say what is proven complete of each stream, what is lost, unknown or was never observed.",
    ),
    Word(
        "schedule",
        "run.schedule:schedule",
        "Print the schedule for cron, systemd, GitHub Actions or another, with your paths in it.",
    ),
    Word(
        "tables",
        "read.tables:tables",
        "Show the tables and views of the dataset, how many rows they have, and what they mean.",
    ),
    Word(
        "sql",
        "read.sql:sql",
        "Run one query on the database and show its rows; nothing can be changed.",
    ),
    Word(
        "search",
        "read.search:search",
        "Search the payloads of events, emits and errors in the database, the newest first.",
    ),
    Word(
        "export",
        "read.export:export",
        "Write a table to a Parquet, CSV or JSON Lines file, whole or not at all.",
    ),
    Word(
        "prune",
        "run.prune:prune",
        "Move old payloads to an archive; rows, counts, gaps and the certificate stay as they are.",
    ),
    Word(
        "compact",
        "run.compact:compact",
        "Copy the database into a new file, verify every row of it, and replace the old file.",
    ),
    Word(
        "sandbox",
        "run.sandbox:sandbox",
        "Serve a stand-in of the Pipedream API, with a made-up workspace, until Ctrl-C.",
    ),
    Word("api", "manage.api:api", "Call the API and write the body of its answer, whatever it is."),
    Word(
        "open",
        "read.open:open_shell",
        "Open the database in DuckDB's own shell, or with --ui in its page in the browser.",
    ),
    Word("users", "manage.users:users", "The user that the key belongs to."),
    Word("workspaces", "manage.users:workspaces", "Workspaces, and the credits that they used."),
    Word("sources", "manage.sources:sources", "Event sources."),
    Word(
        "events",
        "manage.events:events",
        "Events of sources: the last 100 of each, as the API holds them.",
    ),
    Word(
        "components",
        "manage.components:components",
        "Components: the code that sources are made of.",
    ),
    Word(
        "subscriptions",
        "manage.subscriptions:subscriptions",
        "Subscriptions: which listener gets whose events.",
    ),
    Word("webhooks", "manage.webhooks:webhooks", "Webhooks: addresses that events are sent to."),
    Word(
        "workflows",
        "manage.workflows:workflows",
        "Workflows: the API cannot list them; those that something names.",
    ),
)


class Announced(TyperCommand):
    """A word as `--help` lists it; nothing of its module is imported."""

    def __init__(self, word: Word) -> None:
        """Announce a word."""
        super().__init__(word.name, help=word.summary)
        self._word = word

    @cached_property
    def real(self) -> Any:
        """The verb, or the group of verbs, with its flags."""
        module, _, attribute = self._word.home.partition(":")
        home = import_module(f"pipedream_source.cli.{module}")
        found = getattr(home, attribute)
        if isinstance(found, Group):
            return typer.main.get_group(found.app)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        examples = getattr(home, self._word.examples)
        alone.command(self.name, help=about(found), epilog=examples)(found)
        return typer.main.get_command(alone)


class Verbs(TyperGroup):
    """All words, each imported when it is resolved."""

    def __init__(self, **settings: Any) -> None:
        """Announce every word."""
        super().__init__(**settings)
        self.commands = {word.name: Announced(word) for word in WORDS}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb that is named, and what stands behind it; typer calls this."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found.real if isinstance(found, Announced) else found, rest
