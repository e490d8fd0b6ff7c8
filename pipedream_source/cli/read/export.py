"""`pipedream-source export`: a table as a file that other programs read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.times import time_of
from pipedream_source.cli.output.console import err, nbytes, out, plural, print_json, shown
from pipedream_source.cli.read.database import open_duckdb
from pipedream_source.cli.read.export_formats import Rows, Tell, To, Wanted
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError

EXAMPLES = examples(
    "export source_event_summaries --to parquet",
    "export workflow_errors --to jsonl --since 7d -o - | gzip > errors.jsonl.gz",
    "export event_gaps --to csv -o gaps.csv --force --json",
)
_STDOUT = "-"


@guarded
def export(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="In the dataset; else as SCHEMA.TABLE.")
    ],
    to: Annotated[
        To | None,
        typer.Option(help="The form of the file: by default what FILE ends with, else Parquet."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="TABLE.FORM by default; - is stdout, no Parquet."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only rows from this time on: ISO 8601, or such as 7d."),
    ] = None,
    emitter: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this emitter's; repeatable.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a file that is there.", rich_help_panel=given.SAFETY),
    ] = False,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Write a table to a Parquet, CSV or JSON Lines file, whole or not at all.

    In JSON Lines a payload is a JSON value, written as the API sent it, byte for byte but for line
    breaks outside of texts, which become spaces, and NaN and infinities, which become texts. In
    the other two it is a text. For a selection of columns or a query see [bold]sql --csv[/].
    """
    form = to or _form_of(output)
    path = None if output == _STDOUT else Path(output or f"{table}.{form.value}")
    _check(path, form, force=force, as_json=as_json)
    start = time_of(since)
    with open_duckdb(place.target(), "export") as opened:
        wanted = Wanted.of(opened, place.dataset, table)
        condition, values = wanted.where(start, emitter or [])
        rows = Rows(opened, wanted, condition, values)
        with _progress(rows.count(), animated=not (quiet or as_json or path is None)) as tell:
            count = rows.write(form, path, tell)
    told = f"{plural(count, 'row')} of {shown(table)}"
    size = path.stat().st_size if path else 0
    if as_json:
        print_json({"table": table, "form": form.value, "file": path, "rows": count, "bytes": size})
    elif path is None and not quiet:
        err().print(f"[dim]{told}[/]")
    elif not quiet:
        done = f"{told} to {shown(path, 500)}, {nbytes(size)}"
        out().print(f"[green]Exported[/] {done}", soft_wrap=True)


def _form_of(output: str | None) -> To:
    """Return the form that a file's name ends with; Parquet where it names none."""
    ending = Path(output or "").suffix[1:].lower()
    return To(ending) if ending in set(To) else To.PARQUET


def _check(path: Path | None, to: To, *, force: bool, as_json: bool) -> None:
    """Refuse where nothing can or may be written, before anything is read."""
    if path is None:
        if to is To.PARQUET:
            raise typer.BadParameter("Parquet is no text: name a file with -o")
        if as_json:
            raise typer.BadParameter("--json and -o - would both write to stdout")
    elif path.is_dir():
        raise ConfigurationError(f"--output {printable(str(path), 500)} is a folder: name a file")
    elif not path.parent.is_dir():
        raise ConfigurationError(
            f"--output: the folder of {printable(str(path), 500)} is not there"
        )
    elif path.exists() and not path.is_file():
        # Replaced by a file, a device such as /dev/null would be gone for everybody.
        raise ConfigurationError(
            f"--output {printable(str(path), 500)} is no file that can be replaced: name another "
            "one, or - for stdout"
        )
    elif path.exists() and not force:
        raise ConfigurationError(
            f"{printable(str(path), 500)} is there already: name another file with -o, or say "
            "--force to replace it"
        )


@contextmanager
def _progress(total: int, *, animated: bool) -> Iterator[Tell]:
    """Show how far it is on stderr, where somebody looks."""
    console = err()
    if not animated or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("Exporting") as status:
        yield lambda done: status.update(f"Exporting {done:,}/{total:,} rows")
