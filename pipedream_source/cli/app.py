"""The console entry: `pipedream-source VERB`."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated

import typer

from pipedream_source.cli import check, demo, load, sandbox, show
from pipedream_source.settings import VERSION

app = typer.Typer(
    name="pipedream-source",
    help="Load the events of a Pipedream account before they are gone: Pipedream keeps only the "
    "last 100 of each stream. What was lost all the same is found, dated and estimated.",
    epilog="No account at hand? Try [bold]pipedream-source demo[/].",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pipedream-source {VERSION}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take what stands before the verb."""


for verb, examples in (
    (demo.demo, demo.EXAMPLES),
    (check.check, check.EXAMPLES),
    (load.load, load.EXAMPLES),
    (show.status, show.STATUS_EXAMPLES),
    (show.gaps, show.GAPS_EXAMPLES),
    (sandbox.sandbox, sandbox.EXAMPLES),
):
    app.command(epilog=examples)(verb)


def main() -> None:
    """Run the command; what it creates is readable by its user only."""
    os.umask(0o077)
    # Imports make objects that stay; collecting them over and over is a fifth of the start-up.
    gc.set_threshold(50_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no block characters shows question marks instead of failing.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app(prog_name="pipedream-source")


if __name__ == "__main__":
    main()
