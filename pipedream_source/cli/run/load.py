"""`pipedream-source load`: one run, and what it came to."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipedream_source.cli.command.errors import (
    guarded,
    redacted,
    said,
    say_error,
    show_warnings,
    verbosity,
)
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.output.console import print_json
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import LOCK_WAIT_S, STORAGE_VERSION

if TYPE_CHECKING:
    from pipedream_source.resources.session.session import Session
    from pipedream_source.running.context import Afterwards, LoadOptions
    from pipedream_source.running.destination.target import Target
    from pipedream_source.running.report import LoadReport


class Only(StrEnum):
    """What a run loads."""

    EVENTS = "events"
    ENTITIES = "entities"
    ALL = "all"


@guarded
def load(
    only: Annotated[
        Only, typer.Option(help="Load events, entities or both.", rich_help_panel=given.WHAT)
    ] = Only.ALL,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only rows from this time on: ISO 8601, or a period such as 7d. Gaps are found "
            "all the same.",
            rich_help_panel=given.WHAT,
        ),
    ] = None,
    full_window: Annotated[
        bool,
        typer.Option(
            "--full-window",
            help="Read every window whole again; no row doubles.",
            rich_help_panel=given.WHAT,
        ),
    ] = False,
    lock_wait: given.LockWait = LOCK_WAIT_S,
    storage_version: given.StorageVersion = STORAGE_VERSION,
    fail_on_loss: Annotated[
        bool,
        typer.Option(
            "--fail-on-loss", help="Exit with 4 when events were lost.", rich_help_panel=given.HOW
        ),
    ] = False,
    then: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Run this after each load that succeeded, such as 'dbt build', before anybody "
            "else may load here; it gets PIPEDREAM_DATABASE and PIPEDREAM_DATASET, and no key.",
            rich_help_panel=given.HOW,
        ),
    ] = None,
    then_if_new: Annotated[
        bool,
        typer.Option(
            "--then-if-new",
            help="Leave --then out if nothing new was loaded since it last succeeded.",
            rich_help_panel=given.HOW,
        ),
    ] = False,
    compact: Annotated[
        bool,
        typer.Option(
            envvar="PIPEDREAM_COMPACT",
            help="Compact the database at the end of a load if a quarter of it and 4 MB are free.",
            rich_help_panel=given.HOW,
        ),
    ] = True,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    _verbose: given.Verbose = 0,
    *,
    polling: given.Polling,
    place: given.Place,
) -> None:
    """Poll every stream once, load what is new, and tell of what was lost.

    The API key comes from PIPEDREAM_API_KEY, or from dlt's secrets (sources.pipedream.api_key).
    Run it as often as `pipedream-source check` advises.
    """
    from pipedream_source.cli.flags.config import check_destination, session_from
    from pipedream_source.running.context import LoadOptions

    flags = {"since": since, "full_window": full_window or None}
    session = session_from(flags | polling.arguments())
    check_destination(place.destination)
    target = replace(place.target(), storage_version=_checked(storage_version))
    follows = _afterwards(then, to_stderr=as_json, only_if_new=then_if_new)
    options = LoadOptions(only.value, lock_wait, fail_on_loss, then=follows, compact=compact)
    animated = not quiet and not as_json
    # The summary repeats every warning; without one they are told as they come.
    show_warnings(wanted=quiet or as_json or verbosity() > 0)
    is_first = not target.exists
    report = load_shown(target, session, options, animated=animated)
    _tell(report, target, is_first=is_first, as_json=as_json, quiet=quiet)
    raise typer.Exit(report.exit_code)


def _checked(storage_version: str) -> str:
    """Refuse a storage version that cannot be written before anything is asked or made."""
    if storage_version != STORAGE_VERSION:
        from pipedream_source.running.duckdb.storage import check_version

        check_version(storage_version)
    return storage_version


def _afterwards(then: str | None, *, to_stderr: bool, only_if_new: bool) -> Afterwards | None:
    """Read the command that is to follow; one that cannot be run is refused before any request."""
    from pipedream_source.running.context import Afterwards

    if then is None:
        if only_if_new:
            raise ConfigurationError("--then-if-new: there is no --then that it is about")
        return None
    try:
        words = tuple(shlex.split(then))
    except ValueError as error:
        raise ConfigurationError(f"--then: {printable(then)!r} cannot be read ({error})") from None
    if not words or shutil.which(words[0]) is None:
        name = printable(words[0]) if words else ""
        raise ConfigurationError(
            f"--then: there is no command {name!r}: give its path, or its name on the PATH"
        )
    return Afterwards(words, to_stderr, only_if_new=only_if_new)


def load_shown(
    target: Target, session: Session, options: LoadOptions, *, animated: bool
) -> LoadReport:
    """Run one load with its progress on stderr."""
    from pipedream_source.cli.run.progress import shown_progress
    from pipedream_source.running.load.load_run import run_load

    with session.client, shown_progress(session, wanted=animated) as shown:
        then = options.then and replace(options.then, before=shown.end)
        return run_load(target, session, replace(options, progress=shown.collector, then=then))


def _tell(
    report: LoadReport, target: Target, *, is_first: bool, as_json: bool, quiet: bool
) -> None:
    error = report.error or report.tally.fatal
    if as_json:
        print_json(json.loads(redacted(json.dumps(report.as_dict() | _place(target)))))
    elif not quiet:
        from pipedream_source.cli.run.summary import print_summary

        print_summary(report, target, is_first=is_first)
    if error is not None:
        say_error(said(error))


def _place(target: Target) -> dict[str, str]:
    place = {"destination": target.destination, "dataset": target.dataset}
    return place | ({"database": str(target.database.resolve())} if target.is_duckdb else {})


EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source load\n\n"
    "  pipedream-source load --source-id dc_abc123 --workflow-id p_abc123 --no-discover\n\n"
    "  pipedream-source load --database events.duckdb --fail-on-loss --json\n\n"
    "  pipedream-source load --then 'dbt build' --then-if-new\n\n"
    "[bold]Exit codes[/]  0 loaded · 1 failed, or --then did · 2 configuration or key · "
    "3 some streams failed · 4 events lost (--fail-on-loss) · 5 polled and kept, destination not "
    "reachable · 75 another run is at work · 130/143 stopped by a signal, nothing lost"
)
