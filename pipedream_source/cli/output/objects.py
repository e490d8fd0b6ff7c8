"""How the API's objects are written: the one place for it.

People at a terminal get a table, pipes get one line for each object with tabs between its fields
and no header, programs get JSON: whole with `--json`, an object a line with `--jsonl`. Everything
else that a verb says goes to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pipedream_source.cli.output.console import (
    column,
    err,
    grid,
    out,
    print_json,
    print_text,
    shown,
    to_json,
)
from pipedream_source.cli.output.fields import MISSING, field_of, last_part, scalar
from pipedream_source.cli.output.layout import print_rows
from pipedream_source.core.text.redaction import printable

Object = Mapping[str, Any]

# Cells are cut to the first of these lengths with which the table fits.
_CELLS = (60, 40, 24)
_GAP = 2
_MOST_IN_A_LINE = 1_000


@dataclass(frozen=True, slots=True)
class Form:
    """In which form objects are written, and which of their fields.

    Attributes:
        as_json: one document.
        as_jsonl: one object per line.
        columns: the fields that were asked for; empty for the verb's own choice.
    """

    as_json: bool = False
    as_jsonl: bool = False
    columns: tuple[str, ...] = ()

    @property
    def is_for_people(self) -> bool:
        """Whether neither form of JSON was asked for."""
        return not (self.as_json or self.as_jsonl)


def write_list(form: Form, objects: Iterable[Object], columns: Sequence[str], noun: str) -> None:
    """Write objects as they come, or as a table when the last has come.

    Args:
        form: how.
        objects: taken one by one, so that a reader of a pipe need not wait for the last page.
        columns: the fields that people see when they ask for none.
        noun: what the objects are, in the plural.
    """
    found = _Found(objects, form.columns)
    if form.as_json:
        print_json([_chosen(item, form.columns) for item in found])
    elif form.as_jsonl:
        for item in found:
            print_text(to_json(_chosen(item, form.columns)))
    elif sys.stdout.isatty():
        _print_table(out(), list(found), form.columns or columns)
    else:
        for item in found:
            print_text("\t".join(_piped(item, name) for name in form.columns or columns))
    if found.count:
        found.warn()
    else:
        err().print(f"[dim]No {noun}.[/]")


def write_each(form: Form, items: Iterable[Object]) -> None:
    """Write objects that are no list, such as the one that was made, one after another."""
    found = _Found(items, form.columns)
    for item in found:
        _write_one(form, item)
    found.warn()


def _write_one(form: Form, item: Object) -> None:
    """Write one object, a line for each of its fields."""
    if form.as_json:
        print_json(_chosen(item, form.columns))
    elif form.as_jsonl:
        print_text(to_json(_chosen(item, form.columns)))
    elif sys.stdout.isatty():
        print_object(out(), item, form.columns)
    else:
        for name in form.columns or item:
            print_text(f"{flat(name)}\t{_piped(item, name)}")


def print_object(console: Console, item: Object, columns: Sequence[str] = ()) -> None:
    """Write an object for people, a line for each of its fields that holds something."""
    told = ((name, text_of(item, name)) for name in columns or item)
    lines = [(shown(name), shown(text, _MOST_IN_A_LINE)) for name, text in told if text]
    console.print(grid(lines))


def text_of(item: Object, name: str) -> str:
    """Return a field as a text: times in UTC, inner objects as JSON, nothing for null.

    Args:
        item: an object of the API.
        name: a field, or a path such as `event.error.code`.
    """
    value = scalar(field_of(item, name))
    if value is MISSING or value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    moment = _moment(last_part(name), value)
    return _iso(moment) if moment else to_json(value)


class _Found:
    """Objects on their way, counted, with the fields that none of them had."""

    def __init__(self, objects: Iterable[Object], columns: Sequence[str]) -> None:
        self._objects = objects
        self._absent = dict.fromkeys(columns)
        self.count = 0

    def __iter__(self) -> Iterator[Object]:
        for item in self._objects:
            self.count += 1
            for name in [name for name in self._absent if field_of(item, name) is not MISSING]:
                del self._absent[name]
            yield item

    def warn(self) -> None:
        if self._absent:
            names = ", ".join(repr(name) for name in self._absent)
            err().print(f"[yellow]warning[/]  no object has a field {shown(names)}")


def _chosen(item: Object, columns: Sequence[str]) -> Object:
    if not columns:
        return item
    found = ((name, field_of(item, name)) for name in columns)
    return {name: None if value is MISSING else value for name, value in found}


def _moment(name: str, value: Any) -> datetime | None:
    """Read a time: resources count seconds, events milliseconds (section "Get Workflow Emits")."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if not name.endswith(("_at", "_ts", "_at_ms")):
        return None
    try:
        return datetime.fromtimestamp(value / 1000 if name.endswith("_ms") else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(moment: datetime) -> str:
    detail = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=detail).replace("+00:00", "Z")


def flat(text: str) -> str:
    """Make a text harmless and keep it on its line and in its field."""
    line = text.replace("\t", "\\t").replace("\n", "\\n")
    return printable(line, len(line))


def _piped(item: Object, name: str) -> str:
    return flat(text_of(item, name))


def _print_table(console: Console, objects: list[Object], columns: Sequence[str]) -> None:
    rows: list[dict[str, str]] = []
    for most in _CELLS:
        rows = [{name: shown(text_of(o, name), most) for name in columns} for o in objects]
        titles = {name: _header(objects, name) for name in columns}
        if sum(_width(rows, name, titles[name]) for name in columns) <= console.width:
            break
    else:
        # Too narrow for a table: the lines for each object have room for more.
        rows = [{name: shown(text_of(o, name), _CELLS[0]) for name in columns} for o in objects]
    if rows:
        headers = {name: column(shown(_header(objects, name))) for name in columns}
        print_rows(console, rows, headers, spare=(), titles=columns[:2])


def _header(objects: Sequence[Object], name: str) -> str:
    """Return a column's title: a field's own name, or that of the innermost field of a path."""
    return name if any(name in item for item in objects) else last_part(name)


def _width(rows: Sequence[Mapping[str, str]], name: str, title: str) -> int:
    cells = [cell_len(title), *(Text.from_markup(r[name]).cell_len for r in rows)]
    return max(cells) + _GAP
