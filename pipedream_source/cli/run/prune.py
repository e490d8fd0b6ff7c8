"""`pipedream-source prune`: keep every row for ever, and old payloads in an archive only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.confirm import can_ask, confirm
from pipedream_source.cli.flags.times import time_of
from pipedream_source.cli.output.console import (
    err,
    grid,
    moment,
    nbytes,
    out,
    plural,
    print_json,
    shown,
)
from pipedream_source.cli.read.database import open_duckdb
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.running.destination.target import Target
    from pipedream_source.running.maintenance.prune import OldPayloads, Tell

EXAMPLES = examples(
    "prune --payloads-older-than 30d --archive archive --dry-run",
    "prune --payloads-older-than 30d --archive archive --yes --json",
)
_SPACE = (
    "Later loads use the space in the database; the file itself shrinks with "
    "`pipedream-source compact`."
)


@guarded
def prune(
    payloads_older_than: Annotated[
        str, typer.Option(metavar="PERIOD", help="Such as 30d, or before an ISO time.")
    ],
    archive: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the payloads go, as Parquet files.")
    ],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would go; write nothing.", rich_help_panel=given.SAFETY
        ),
    ] = False,
    yes: given.Yes = False,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Move old payloads to an archive; rows, counts, gaps and the certificate stay as they are.

    They are written to Parquet, read back and compared; then [bold]event[/] becomes null and
    [bold]event_state[/] 'pruned', for exactly the rows that the archive was seen to hold, in one
    transaction. No load brings them back. No load runs meanwhile, and no reader can look.
    """
    cutoff = time_of(payloads_older_than, "--payloads-older-than")
    assert cutoff is not None  # noqa: S101 - the flag is required
    target = place.target()
    found = _found(target, cutoff)
    if not dry_run and any(old.rows for old in found):
        if not yes:
            _ask(target, found, cutoff)
        found = _pruned(target, cutoff, archive, animated=not (quiet or as_json))
    if as_json:
        print_json(_as_json(found, cutoff, dry_run=dry_run))
    elif not quiet:
        _print(found, cutoff, dry_run=dry_run)


def _found(target: Target, cutoff: datetime) -> list[OldPayloads]:
    """Count what is old, without a lock."""
    with open_duckdb(target, "prune") as opened:
        from pipedream_source.running.duckdb.memory_limit import within_memory
        from pipedream_source.running.maintenance.prune import old_payloads

        count = partial(old_payloads, opened.connection, target.dataset, cutoff)
        return within_memory(opened.connection, count)


def _ask(target: Target, found: Sequence[OldPayloads], cutoff: datetime) -> None:
    if not can_ask():
        raise ConfigurationError(
            "Pruning needs the database's name typed, and this is no terminal: say --yes to go on "
            "without, or --dry-run to see what would go"
        )
    told = {
        "name": target.database.name,
        "payloads": sum(old.rows for old in found),
        "bytes": sum(old.nbytes for old in found),
        "older than": cutoff,
    }
    confirm(told, "payloads from the database once the archive holds them")


def _pruned(
    target: Target, cutoff: datetime, archive: Path, *, animated: bool
) -> list[OldPayloads]:
    from pipedream_source.running.maintenance.prune import prune_payloads

    with _progress(animated) as tell:
        return prune_payloads(target, cutoff, archive, tell)


@contextmanager
def _progress(animated: bool) -> Iterator[Tell]:
    """Show what is being done on stderr, where somebody looks."""
    console = err()
    if not animated or not console.is_terminal:
        yield lambda *_: None
        return
    with console.status("Looking") as status:
        yield lambda step, done, total: status.update(f"{step} {done:,}/{total:,} payloads")


def _as_json(found: Sequence[OldPayloads], cutoff: datetime, *, dry_run: bool) -> dict[str, object]:
    return {
        "older_than": cutoff,
        "dry_run": dry_run,
        "payloads": sum(old.rows for old in found),
        "bytes": sum(old.nbytes for old in found),
        "tables": [asdict(old) for old in found if old.rows],
    }


def _print(found: Sequence[OldPayloads], cutoff: datetime, *, dry_run: bool) -> None:
    console = out()
    count, size = sum(old.rows for old in found), sum(old.nbytes for old in found)
    age = f"older than {moment(cutoff)} UTC"
    if not count:
        console.print(f"Nothing to prune: no payload in the database is {age}.")
        return
    told = f"{plural(count, 'payload')} {age}, {nbytes(size)}"
    console.print(f"[yellow]Would prune[/] {told}" if dry_run else f"[green]Pruned[/] {told}")
    console.print(grid(_lines(found)))
    if not dry_run:
        console.print(f"[dim]{_SPACE}[/]")


def _lines(found: Sequence[OldPayloads]) -> Iterator[tuple[str, str]]:
    for old in found:
        if old.rows:
            where = f" · {shown(old.file, 500)}" if old.file else ""
            yield old.table, f"{old.rows:,} · {nbytes(old.nbytes)}{where}"
