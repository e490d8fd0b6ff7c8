"""What a table is: columns with types, units and descriptions, a key, and how it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

INSERT_ONLY: Final = "insert-only"
UPSERT: Final = "upsert"
SCD2: Final = "scd2"


class Column(NamedTuple):
    """A column of a table or a view.

    Attributes:
        kind: its dlt data type.
        about: what it holds, in a sentence.
        unit: of its values; empty for none.
    """

    kind: str
    about: str
    unit: str = ""

    @property
    def comment(self) -> str:
        """The description with the unit, as the database stores it."""
        return f"{self.about} Unit: {self.unit}." if self.unit else self.about


Columns = Mapping[str, Column]


def text(about: str) -> Column:
    """Return a text column."""
    return Column("text", about)


def json(about: str) -> Column:
    """Return a column of JSON."""
    return Column("json", about)


def flag(about: str) -> Column:
    """Return a column of true and false."""
    return Column("bool", about)


def time(about: str) -> Column:
    """Return a column of times with their zone."""
    return Column("timestamp", about, "UTC")


def whole(about: str, unit: str = "") -> Column:
    """Return a column of whole numbers."""
    return Column("bigint", about, unit)


def real(about: str, unit: str = "") -> Column:
    """Return a column of floating-point numbers."""
    return Column("double", about, unit)


#: What dlt adds to each table, and to those that keep history.
OWN: Final[Columns] = {
    "_dlt_load_id": text("Id of the load that wrote the row: Unix seconds; see `_dlt_loads`."),
    "_dlt_id": text("dlt's id of the row."),
}
VERSION: Final[Columns] = {
    "_dlt_valid_from": time("When a load first read this version."),
    "_dlt_valid_to": time("When a load found it changed or gone; null for the version in force."),
}


@dataclass(frozen=True)
class Table:
    """A table as it is created and written.

    Attributes:
        name: its name in the dataset.
        about: what a row is, in a sentence.
        fields: its columns, in order.
        key: columns that identify a row; never null.
        merge: merge strategy, or None for a table whose rows are appended or replaced.
        replace: each load that yields the table replaces it.
    """

    name: str
    about: str
    fields: Columns
    key: Sequence[str] = ()
    merge: str | None = None
    replace: bool = False

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """The dlt data type of each column, in order."""
        return {name: column.kind for name, column in self.fields.items()}

    @cached_property
    def stored(self) -> Columns:
        """Its columns in the database: with those that dlt adds."""
        return {**self.fields, **(VERSION if self.merge == SCD2 else {}), **OWN}


def row_id(table: Table, row: Mapping[str, Any], load_id: str) -> str:
    """Return a row's `_dlt_id`: its key in words, so that normalize need not make one up.

    Where history is kept it is the row's version: dlt closes a row whose `_dlt_id` does not come
    again, and adds one that it has not.
    """
    if table.merge == SCD2:
        version = repr([row.get(name) for name in table.columns])
        return hashlib.sha256(version.encode()).hexdigest()[:32]
    return ":".join(str(row[name]) for name in table.key) or load_id
