"""The console entry: `pipedream-source VERB`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipedream_source.cli.command.error_json import failure
from pipedream_source.cli.command.errors import redacted, say_error
from pipedream_source.cli.command.first_steps import print_first_steps
from pipedream_source.cli.command.registry import Verbs
from pipedream_source.cli.output.console import out, print_json
from pipedream_source.running.exit_codes import FAILED
from pipedream_source.settings import VERSION

# The base of what a wrong word raises, which typer names no other way in all its versions.
_USAGE_ERROR: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="pipedream-source",
    cls=Verbs,
    help="Load the events of a Pipedream account before they are gone: Pipedream keeps only the "
    "last 100 of each stream. What was lost all the same is found, dated and estimated.",
    epilog="No account at hand? Try [bold]pipedream-source demo[/].",
    invoke_without_command=True,
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
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take what stands before the verb; without one, say what there is."""
    if context.invoked_subcommand is None:
        from pipedream_source.cli.flags.config import is_first_run

        if is_first_run():
            print_first_steps(out())
        else:
            typer.echo(context.get_help())
        raise typer.Exit


def main() -> None:
    """Run the command; what it creates is readable by its user only."""
    os.umask(0o077)
    # Imports make objects that stay; collecting them over and over is a fifth of the start-up.
    gc.set_threshold(50_000, 20, 20)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who called, as some schedulers do
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        # A terminal that knows no block characters shows question marks instead of failing.
        getattr(sys, name).reconfigure(errors="replace")
    if "--json" in sys.argv[1:]:
        sys.exit(_run_for_a_program())
    app(prog_name="pipedream-source")


def _run_for_a_program() -> int:
    """Run the command so that a wrong word ends in a JSON object too."""
    try:
        return app(prog_name="pipedream-source", standalone_mode=False) or 0
    except _USAGE_ERROR as error:
        text = error.format_message()
        say_error(text)
        verbs = [word for word in sys.argv[1:] if not word.startswith("-")]
        print_json(failure(verbs[0] if verbs else None, redacted(text), error.exit_code, {}))
        return int(error.exit_code)
    except typer.Abort:
        return FAILED


def start() -> None:
    """Run the command as a process of its own, and end it at once.

    Python frees what was imported object by object, which is a tenth of a load.
    """
    try:
        main()
    except SystemExit as end:
        # Python tells of output that cannot be written, and of a code that is a text.
        if isinstance(end.code, int | None) and _flushed():
            # What a normal end would run too: temporary files, logs.
            atexit._run_exitfuncs()
            os._exit(end.code or 0)
        raise


def _flushed() -> bool:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    start()
