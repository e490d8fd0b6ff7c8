"""`pipedream-source open`: DuckDB's own shell or page on the database, read-only."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated, NoReturn

import typer

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.output.console import err
from pipedream_source.cli.read.database import open_duckdb
from pipedream_source.core.text.sql_text import quoted
from pipedream_source.exceptions import ConfigurationError

EXAMPLES = examples("open", "open --ui", "open --database events.duckdb")
_INSTALL = (
    "There is no `duckdb` on the PATH, and DuckDB's Python package brings none: install it from "
    "https://duckdb.org/install (1.4.2 or newer, 2.0 for a file of that storage version), or use "
    "`pipedream-source sql` or a notebook."
)


@guarded
def open_shell(
    ui: Annotated[
        bool, typer.Option("--ui", help="DuckDB's page in the browser instead of its shell.")
    ] = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Open the database in DuckDB's own shell, or with --ui in its page in the browser.

    Read-only, the dataset's tables without a prefix. DuckDB's page is an extension that DuckDB
    downloads at first. While it is open no load can write: loads keep what they polled.
    """
    target = place.target()
    # Whatever is wrong with the place is told here, in our words.
    with open_duckdb(target, "open"):
        pass
    program = shutil.which("duckdb")
    if program is None:
        raise ConfigurationError(_INSTALL)
    err().print("[dim]Read-only. While this is open, loads keep what they poll for later.[/]")
    words = ["-readonly", "-cmd", f"SET schema = {quoted(target.dataset)}"]
    _become(program, [*words, *(["-ui"] if ui else []), str(target.database.resolve())])


def _become(program: str, words: list[str]) -> NoReturn:
    """Let a program take this one's place, signals and terminal included."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program, [program, *words])  # noqa: S606 - words of ours, no shell between
