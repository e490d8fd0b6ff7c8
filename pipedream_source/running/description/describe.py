"""Let a dataset explain itself: comments on its tables and columns, and views.

Written after a load where they differ from `resources/`, and asked for by one small query where
they do not. They are a convenience: a database that does not allow them is loaded all the same.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import dlt
from dlt.destinations.exceptions import DatabaseException

from pipedream_source.core.text.redaction import printable
from pipedream_source.core.text.sql_text import literal
from pipedream_source.resources.schema.descriptions import DLT_VERSION, described
from pipedream_source.resources.schema.view import MADE_BY, View
from pipedream_source.resources.schema.views import VIEWS
from pipedream_source.running.description.catalog import CATALOGS, Catalog, Relation
from pipedream_source.running.destination.errors import NO_SQL, reason_of
from pipedream_source.running.destination.target import Target
from pipedream_source.settings import DESCRIPTIONS

_LOG = logging.getLogger("pipedream_source")
_LOCK_NOT_AVAILABLE: Final = "55P03"
Sql = Any


def describe(pipeline: dlt.Pipeline) -> list[str]:
    """Write comments and views into the pipeline's dataset, if they are missing or outdated.

    DuckDB and Postgres only; nothing happens elsewhere, or where the user has no right to it.

    Args:
        pipeline: has its destination and its dataset, with tables in it.

    Returns:
        What the user should know, such as views whose names are taken.
    """
    try:
        with pipeline.sql_client() as sql:
            return describe_with(pipeline, sql)
    except NO_SQL:
        return []


def keep_described(pipeline: dlt.Pipeline, target: Target, sql: Sql) -> list[str]:
    """Do as `describe` does unless nothing can have changed since this folder's last load.

    Args:
        pipeline: it has just loaded.
        target: has the note of what was written; without one the database is asked.
        sql: at the destination.
    """
    due = f"{DESCRIPTIONS} {_digest_of_schema(pipeline)}"
    if target.described_as == due:
        return []
    notes = describe_with(pipeline, sql)
    target.described.write_text(due, encoding="utf-8")
    return notes


def _digest_of_schema(pipeline: dlt.Pipeline) -> str:
    """Return what changes whenever dlt makes a table or a column; dlt itself reads it slowly."""
    file = Path(pipeline.working_dir) / "schemas" / f"{pipeline.default_schema_name}.schema.json"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def describe_with(pipeline: dlt.Pipeline, sql: Sql) -> list[str]:
    """Do as `describe` does with a connection that is open."""
    catalog = CATALOGS.get(pipeline.destination.destination_type)
    if catalog is None:
        return []
    try:
        return _Describing(catalog, sql).run()
    except Exception as error:
        # The rows are loaded, and nothing is lost.
        _LOG.debug("comments and views stay as they are: %s", error)
        return []


class _Describing:
    """One look at a dataset, and what it lacks."""

    def __init__(self, catalog: Catalog, sql: Sql) -> None:
        self._catalog = catalog
        self._sql = sql
        self._is_tried_again = False
        self._there = self._read_relations()
        self._columns: Mapping[str, Mapping[str, str]] = {}

    def run(self) -> list[str]:
        """Write what is missing; return what the user should know."""
        noted = self._there.get(DLT_VERSION.name)
        if noted is None or self._mark in noted.comment:
            return []
        self._columns = self._read_columns()
        outdated = [view for view in VIEWS.values() if self._is_outdated(view)]
        taken = [view for view in outdated if not self._is_free(view)]
        wanted = [view for view in outdated if view not in taken]
        notes = [self._told_taken(view) for view in taken]
        try:
            made = [statement for view in wanted for statement in self._made(view)]
            self._write([*made, *self._comments(wanted)])
        except DatabaseException as error:
            _LOG.debug("one by one, as all together are refused: %s", error)
            self._there, self._columns = self._read_relations(), self._read_columns()
            notes += [note for view in wanted if (note := self._make(view))]
            self._there, self._columns = self._read_relations(), self._read_columns()
            self._write([*self._comments([])])
        return notes

    @property
    def _mark(self) -> str:
        """What tells these definitions, and the tables and views that they were written to."""
        names = {*VIEWS, *(table.name for table in described())}
        there = [(r.name, r.is_view, r.width) for r in self._there.values() if r.name in names]
        digest = hashlib.sha256(f"{DESCRIPTIONS} {sorted(there)}".encode()).hexdigest()[:12]
        return f"Descriptions: {digest}."

    def _read_relations(self) -> dict[str, Relation]:
        """Return the tables and views of the dataset, by name."""
        rows = self._sql.execute_sql(self._catalog.relations, self._sql.dataset_name) or ()
        found = (Relation(name, comment or "", *rest) for name, comment, *rest in rows)
        return {relation.name: relation for relation in found}

    def _read_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return the columns of each table and view, with their comments."""
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        rows = self._sql.execute_sql(self._catalog.columns, self._sql.dataset_name) or ()
        for relation, column, comment in rows:
            found[relation][column] = comment or ""
        return found

    def _query(self, view: View) -> str:
        dataset = f"{self._sql.fully_qualified_dataset_name()}."
        return view.query(self._columns, dataset=dataset, dialect=self._catalog.dialect)

    def _is_outdated(self, view: View) -> bool:
        held = self._there.get(view.name)
        return held is None or held.comment != _comment_of(view, self._query(view))

    def _is_free(self, view: View) -> bool:
        """Tell whether a view's name is free, or held by one that we made.

        We know it by its comment; where an export lost that, by its columns.
        """
        held = self._there.get(view.name)
        if held is None or (held.is_view and MADE_BY in held.comment):
            return True
        columns = list(self._columns[view.name])
        return held.is_view and not held.comment and columns == list(view.fields)

    def _told_taken(self, view: View) -> str:
        kind = "view" if self._there[view.name].is_view else "table"
        return (
            f"The dataset has a {kind} {view.name!r} of your own: it is left as it is, and the "
            "view of that name is not made."
        )

    def _made(self, view: View, *, anew: bool = False) -> list[str]:
        """Return the statements that create or replace a view."""
        name, query = self._name(view.name), self._query(view)
        first = [f"DROP VIEW {name}"] if anew else []
        create = f"CREATE {'' if anew else 'OR REPLACE '}VIEW {name} AS {query}"
        about = literal(_comment_of(view, query))
        return [*first, create, f"COMMENT ON VIEW {name} IS {about}"]

    def _make(self, view: View) -> str | None:
        """Create or replace one view; return what the user should know."""
        is_held = view.name in self._there
        # Postgres replaces a view only by one that has its columns, and more behind them.
        for anew in (False, True) if is_held else (False,):
            try:
                self._write(self._made(view, anew=anew))
            except DatabaseException as error:
                _LOG.debug("view %s is not made: %s", view.name, error)
                why = printable(reason_of(error), 300)
                if getattr(error.dbapi_exception, "pgcode", None) == _LOCK_NOT_AVAILABLE:
                    self._is_tried_again = True
                    return None
            else:
                return None
        if not is_held:
            return None
        self._is_tried_again = True
        return f"The view {view.name!r} stays as it was: {why}"

    def _comments(self, made: Collection[View]) -> Iterator[str]:
        """Yield the statements for comments that are missing or outdated; last what tells them.

        Args:
            made: views that are made in the same transaction.
        """
        for table in described():
            if table.name in self._there and table is not DLT_VERSION:
                yield from self._comment(self._there[table.name], table.about)
            yield from self._on_columns(table.name, table.fields)
        for view in VIEWS.values():
            if view in made:
                self._columns = {**self._columns, view.name: dict.fromkeys(view.fields, "")}
                self._there[view.name] = Relation(view.name, MADE_BY, True, len(view.fields))
            if view.name in self._there and self._is_free(view):
                yield from self._on_columns(view.name, view.fields)
        if not self._is_tried_again:
            told = f"{DLT_VERSION.about} {self._mark}"
            yield from self._comment(self._there[DLT_VERSION.name], told)

    def _comment(self, held: Relation, text: str) -> Iterator[str]:
        if held.comment != text and not held.is_view:
            yield f"COMMENT ON TABLE {self._name(held.name)} IS {literal(text)}"

    def _on_columns(self, relation: str, fields: Mapping[str, Any]) -> Iterator[str]:
        held = self._columns.get(relation, {})
        for name, column in fields.items():
            if name in held and held[name] != column.comment:
                place = f"{self._name(relation)}.{self._sql.escape_column_name(name)}"
                yield f"COMMENT ON COLUMN {place} IS {literal(column.comment)}"

    def _name(self, relation: str) -> str:
        name: str = self._sql.make_qualified_table_name(relation)
        return name

    def _write(self, statements: list[str]) -> None:
        before, after = self._catalog.settings
        try:
            with self._sql.begin_transaction():
                self._sql.execute_sql(";\n".join([before, *statements]))
        finally:
            if after:
                self._sql.execute_sql(after)


def _comment_of(view: View, query: str) -> str:
    told = f"{query}{view.about}"
    digest = hashlib.sha256(told.encode()).hexdigest()[:8]
    return f"{view.about} {MADE_BY} ({digest}), which replaces it when it changes."
