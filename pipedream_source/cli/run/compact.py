"""`pipedream-source compact`: the database as a file that is small and that every tool opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.output.console import err, grid, nbytes, out, plural, print_json, shown
from pipedream_source.cli.read.database import require_duckdb
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import LOCK_WAIT_S, STORAGE_VERSION

if TYPE_CHECKING:
    from pipedream_source.running.duckdb.copy import Tell
    from pipedream_source.running.maintenance.compact import Compacted

EXAMPLES = examples(
    "compact",
    "compact --to snapshot.duckdb --force --json",
    "compact --storage-version v1.4.0 --lock-wait 600",
)


@guarded
def compact(
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the copy there; the database stays as it is."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a FILE that exists.", rich_help_panel=given.SAFETY),
    ] = False,
    lock_wait: given.LockWait = LOCK_WAIT_S,
    storage_version: given.StorageVersion = STORAGE_VERSION,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Copy the database into a new file, verify every row of it, and replace the old file.

    The new file has the current storage version and compression, no free space and no staging
    tables. Tables, views, macros and all else that you made in the file are copied too. The old
    file stays as it is until the copy is proven to hold the same; no load runs meanwhile.
    """
    from pipedream_source.running.maintenance.compact import (
        Compaction,
        compact_database,
        copy_compact,
    )

    target = place.target()
    require_duckdb(target, "compact")
    if to is not None:
        _check(to, force=force)
    elif force:
        raise typer.BadParameter("--force: there is no --to whose file it could replace")
    with _progress(animated=not (quiet or as_json)) as tell:
        how = Compaction(storage_version, lock_wait, tell)
        done = compact_database(target, how) if to is None else copy_compact(target, to, how)
    if as_json:
        print_json(asdict(done))
    elif not quiet:
        _print(done)


def _check(path: Path, *, force: bool) -> None:
    """Refuse where nothing can or may be written, before anything is read."""
    shown_path = printable(str(path), 500)
    if path.is_dir():
        raise ConfigurationError(f"--to {shown_path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise ConfigurationError(f"--to: the folder of {shown_path} does not exist: create it")
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"--to {shown_path} is not a regular file: name another")
    if path.exists() and not force:
        raise ConfigurationError(
            f"{shown_path} already exists; name another file with --to, or pass --force to "
            "replace it"
        )


@contextmanager
def _progress(*, animated: bool) -> Iterator[Tell]:
    """Show the progress on stderr if that is a terminal."""
    console = err()
    if not animated or not console.is_terminal:
        yield lambda *_: None
        return
    with console.status("Opening the database") as status:
        yield lambda step, table, done, total: status.update(
            f"{step} {shown(table)} · {done:,}/{total:,} rows"
        )


def _print(done: Compacted) -> None:
    console = out()
    sizes = f"{nbytes(done.bytes_before)} before, {nbytes(done.bytes_after)} now"
    console.print(f"[green]Compacted[/] {shown(done.file, 500)}: {sizes}", soft_wrap=True)
    lines = [
        ("verified", f"{plural(done.rows, 'row')} in {plural(done.tables, 'table')}"),
        ("storage version", done.storage_version or "unknown"),
    ]
    if done.left_out:
        lines.append(("left out", f"staging: {shown(', '.join(done.left_out), 500)}"))
    if done.kept:
        told = f"{shown(', '.join(done.kept), 500)}: a load that uses it has not ended"
        lines.append(("copied, too", told))
    console.print(grid(lines))
