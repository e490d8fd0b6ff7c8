"""`pipedream-source sql`: ask the database a question that no other verb answers."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pipedream_source.cli.command.errors import guarded, shown_lines
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.input_files import STDIN, read_text
from pipedream_source.cli.output.console import err, plural
from pipedream_source.cli.output.objects import Form, flat, text_of, write_list
from pipedream_source.cli.read.database import open_duckdb
from pipedream_source.core.text.redaction import printable
from pipedream_source.core.text.sent_json import SentJson, SentNumber
from pipedream_source.exceptions import ConfigurationError, PipedreamError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXAMPLES = examples(
    'sql "select emitter_id, count(*) from source_event_summaries group by all"',
    'sql "select id, event from workflow_errors" --jsonl',
    "sql --file report.sql --csv > report.csv",
)
# As a table all rows are in memory, and nobody reads more.
_MOST_FOR_PEOPLE = 500
_AT_ONCE = 1_000
_READING = {"SELECT", "EXPLAIN", "PRAGMA", "CALL", "MULTI"}
_PLACE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^", re.DOTALL)

Row = dict[str, Any]


@guarded
def sql(
    statement: Annotated[
        str | None, typer.Argument(metavar="STATEMENT", help="Else from --file or stdin.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="Where it stands; - is stdin."),
    ] = None,
    maximum: Annotated[
        int | None,
        typer.Option(
            "--max",
            metavar="N",
            min=1,
            help=f"Rows in all; a terminal shows {_MOST_FOR_PEOPLE} by default.",
        ),
    ] = None,
    as_json: given.Json = False,
    as_jsonl: given.JsonLines = False,
    as_csv: Annotated[
        bool,
        typer.Option("--csv", help="Comma-separated, with a header.", rich_help_panel=given.SAY),
    ] = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Run one query on the database and show its rows; nothing can be changed.

    The dataset's tables need no prefix. DuckDB reads the database and nothing else: no other
    files, no network, no extensions. JSON columns come as JSON in --json and --jsonl,
    as they are stored.
    """
    if as_json + as_jsonl + as_csv > 1:
        raise typer.BadParameter("--json, --jsonl and --csv contradict each other")
    text = _statement(statement, file)
    bounded = sys.stdout.isatty() and not (as_json or as_jsonl or as_csv)
    limit = maximum or (_MOST_FOR_PEOPLE if bounded else None)
    with open_duckdb(place.target(), "sql", sealed=True) as opened:
        answer = _Answer(opened.connection, text, limit)
        if as_csv:
            _write_csv(answer)
        else:
            form = Form(as_json, as_jsonl)
            rows = answer.dicts(_told if form.is_for_people else _plain)
            write_list(form, rows, answer.names, "rows")
    if answer.has_more:
        more = "" if maximum else " Name another number with --max, or take all with --csv."
        err().print(f"[dim]The first {plural(limit or 0, 'row')} of more.{more}[/]")


def _statement(statement: str | None, file: str | None) -> str:
    """Return the one that was given, from wherever it was."""
    if statement and file:
        raise typer.BadParameter("a statement and --file contradict each other")
    if statement and statement != STDIN:
        text = statement
    elif file or statement or not sys.stdin.isatty():
        text = read_text(file or STDIN, "--file")
    else:
        text = ""
    if not text.strip():
        raise typer.BadParameter(
            'which statement? Such as `pipedream-source sql "select * from stream_status"`'
        )
    return text


class _Answer:
    """The rows of one statement, as they come.

    Attributes:
        names: of the columns, each once.
        has_more: whether rows were left out; known at the end.
    """

    def __init__(self, connection: DuckDBPyConnection, text: str, limit: int | None) -> None:
        self._limit = limit
        self.has_more = False
        try:
            self._cursor = connection.execute(_checked(connection, text))
        except Exception as error:
            _refuse(error)
        columns = self._cursor.description or []
        self.names = _distinct([str(column[0]) for column in columns])
        self._is_json = [str(column[1]) == "JSON" for column in columns]

    def rows(self) -> Iterator[Sequence[Any]]:
        """Yield rows as DuckDB gives them."""
        count = 0
        while some := self._fetched():
            for row in some:
                if count == self._limit:
                    self.has_more = True
                    return
                count += 1
                yield row

    def dicts(self, form: Callable[[Any, bool], Any]) -> Iterator[Row]:
        """Yield rows by the names of their columns, each value in a form."""
        for row in self.rows():
            values = map(form, row, self._is_json)
            yield dict(zip(self.names, values, strict=True))

    def _fetched(self) -> list[Any]:
        try:
            found: list[Any] = self._cursor.fetchmany(_AT_ONCE)
        except Exception as error:
            _refuse(error)
        return found


def _checked(connection: DuckDBPyConnection, text: str) -> str:
    statements = connection.extract_statements(text)
    if len(statements) != 1:
        raise ConfigurationError(f"One statement at a time, not {len(statements)}")
    kind = statements[0].type.name
    if kind not in _READING:
        raise ConfigurationError(f"{kind}: only what reads can be run")
    return text


def _refuse(error: Exception) -> NoReturn:
    """Say what DuckDB said, with the place in the statement.

    Raises:
        ConfigurationError: the statement is wrong.
        PipedreamError: it failed for another reason.
    """
    import duckdb

    if not isinstance(error, duckdb.Error):
        raise error
    text = str(error)
    place = _PLACE.search(text)
    told = " ".join(text[: place.start()].split() if place else text.split())
    if place:
        told += f" ({_pointed_at(place)})"
    wrong = duckdb.ProgrammingError, duckdb.PermissionException, duckdb.ConversionException
    kind = ConfigurationError if isinstance(error, wrong) else PipedreamError
    raise kind(printable(told, 1_000)) from None


def _pointed_at(place: re.Match[str]) -> str:
    """Show the line that DuckDB points at, and return where that is."""
    number, line, spaces = place.groups()
    column = len(spaces) - len(f"LINE {number}: ")
    err().print(f"{shown_lines(line)}\n{' ' * column}^", style="dim", soft_wrap=True)
    # Of a long line DuckDB shows a part.
    return f"line {number}" if line.startswith("...") else f"line {number}, column {column + 1}"


def _distinct(names: list[str]) -> list[str]:
    """Number names that come again: a row is an object in JSON."""
    taken: dict[str, None] = {}
    for name in names:
        free, count = name, 1
        while free in taken:
            free, count = f"{name}_{count}", count + 1
        taken[free] = None
    return list(taken)


def _plain(value: Any, is_json: bool = False) -> Any:
    """Return a value as JSON has it; what JSON has no form for as a text."""
    match value:
        case str():
            return SentJson(value) if is_json else value
        case Decimal():
            return SentNumber(format(value, "f"))
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case bytes():
            return value.hex()
        case None | bool() | int() | float() | datetime():
            return value
        case date() | time():
            return value.isoformat()
    return str(value)


def _told(value: Any, is_json: bool = False) -> Any:
    """Return a value for people: a number is a number, whatever its column is called."""
    found = value if is_json else _plain(value)
    return str(found) if isinstance(found, int | float) else found


def _write_csv(answer: _Answer) -> None:
    def cell(value: Any, is_json: bool) -> str:
        text = text_of({"": _told(value, is_json)}, "")
        return flat(text) if on_terminal else text

    on_terminal = sys.stdout.isatty()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([cell(name, False) for name in answer.names])
    for row in answer.dicts(cell):
        writer.writerow(row.values())
