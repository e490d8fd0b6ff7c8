"""`pipedream-source tables`: what the dataset holds, and what each column means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.table import Column as Shown

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.output.console import column, out, plain_table, plural, print_json, shown
from pipedream_source.cli.read.database import Reader, open_reader
from pipedream_source.core.text.redaction import printable
from pipedream_source.core.text.sql_text import quoted
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.resources.schema.table import Column


EXAMPLES = examples("tables", "tables errors", "tables --json")


class _Found(NamedTuple):
    """A table or view of the dataset."""

    name: str
    kind: str
    about: str
    fields: Mapping[str, Column]
    rows: int

    def as_dict(self) -> dict[str, Any]:
        columns = [
            {"name": name, "type": one.kind, "unit": one.unit or None, "about": one.about}
            for name, one in self.fields.items()
        ]
        about = self.about or None
        told = {"name": self.name, "kind": self.kind, "rows": self.rows, "about": about}
        return {**told, "columns": columns}


@guarded
def tables(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only this table or view, with columns.")
    ] = None,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Show the tables and views of the dataset, how many rows they have, and what they mean.

    With a name: its columns with their types and units. The same descriptions stand in the
    database, as comments on tables and columns, where DuckDB or Postgres holds it.
    """
    target = place.target()
    with open_reader(target) as reader:
        names = _names(reader)
        if name is not None and name not in names:
            raise ConfigurationError(
                f"There is no table or view {printable(name)!r}. "
                f"There are: {', '.join(map(repr, names))}"
            )
        views = _views(reader) if target.is_duckdb else frozenset()
        found = [_found(reader, one, views) for one in ([name] if name else names)]
    if as_json:
        print_json({"tables": [one.as_dict() for one in found]})
    elif name:
        _print_columns(found[0])
    else:
        _print_tables(found)


def _names(reader: Reader) -> list[str]:
    """Return what there is: our tables, views, other tables, and those of dlt."""
    from pipedream_source.resources.schema.descriptions import TABLES
    from pipedream_source.resources.schema.views import VIEWS

    known = [table.name for table in TABLES] + [*VIEWS]
    ours = [name for name in known if name in reader.tables]
    others = sorted(reader.tables - set(ours), key=lambda name: (name.startswith("_"), name))
    return [*ours, *others]


def _views(reader: Reader) -> frozenset[str]:
    """Return the views that we made: a table of the user's may have the name of one."""
    from pipedream_source.resources.schema.view import MADE_BY

    query = (
        "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() "
        "AND schema_name = current_schema() AND contains(comment, ?)"
    )
    return frozenset(row["view_name"] for row in reader.rows(query, MADE_BY))


def _found(reader: Reader, name: str, views: Collection[str]) -> _Found:
    from pipedream_source.resources.schema.descriptions import described
    from pipedream_source.resources.schema.views import VIEWS

    (row,) = reader.rows(f"SELECT count(*) AS n FROM {quoted(name)}")  # noqa: S608
    if name in views:
        view = VIEWS[name]
        return _Found(name, "view", view.about, view.fields, row["n"])
    known = {table.name: table for table in described()}
    if name in known:
        return _Found(name, "table", known[name].about, known[name].fields, row["n"])
    return _Found(name, "other", "", {}, row["n"])


def _print_tables(found: list[_Found]) -> None:
    table = plain_table(
        column("name"), column("kind", style="dim"), column("rows", right=True), _about()
    )
    for one in found:
        table.add_row(shown(one.name), one.kind, f"{one.rows:,}", _told(one.about))
    out().print(table)
    out().print("\n[dim]The columns of one: `pipedream-source tables NAME`[/]")


def _print_columns(found: _Found) -> None:
    out().print(f"[bold]{shown(found.name)}[/]  {found.kind}, {plural(found.rows, 'row')}")
    out().print(_told(found.about))
    table = plain_table(
        column("column"), column("type", style="dim"), column("unit", style="dim"), _about()
    )
    for name, one in found.fields.items():
        table.add_row(name, one.kind, one.unit, _told(one.about))
    out().print()
    out().print(table)


def _about() -> Shown:
    return Shown("about", overflow="fold")


def _told(about: str) -> str:
    return shown(about.replace("`", ""))
