"""Rows as a table where it fits, else two lines for each: nothing is cut to fit a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from pipedream_source.cli.output.console import plain_table

_UNBOUNDED = 10_000
# Columns whose cells speak for themselves.
_UNLABELLED = {"emitter", "channel", "verdict", "standing", "outlook", "name"}


def print_rows(
    console: Console,
    rows: Sequence[Mapping[str, str]],
    columns: Mapping[str, Column],
    *,
    spare: Sequence[str],
    titles: Sequence[str],
) -> None:
    """Write rows as a table, or two lines for each where the terminal is too narrow for one.

    Args:
        console: where to.
        rows: cells by the names of their columns.
        columns: how each column looks, in order.
        spare: columns that a table may do without, the first of them first.
        titles: what stands in the first of two lines.
    """
    names = list(columns)
    for left_out in ("", *spare):
        names = [name for name in names if name != left_out]
        table = _table(rows, {name: columns[name] for name in names})
        if _width(console, table) <= console.width:
            console.print(table)
            return
    for row in rows:
        _print_stacked(console, row, columns, titles)


def _table(rows: Sequence[Mapping[str, str]], columns: Mapping[str, Column]) -> Table:
    table = plain_table(*(column.copy() for column in columns.values()))
    for row in rows:
        table.add_row(*(row[name] for name in columns))
    return table


def _width(console: Console, table: Table) -> int:
    options = console.options.update(max_width=_UNBOUNDED)
    return Measurement.get(console, options, table).maximum


def _print_stacked(
    console: Console, row: Mapping[str, str], columns: Mapping[str, Column], titles: Sequence[str]
) -> None:
    told = {name: _fact(name, str(columns[name].header), row[name]) for name in columns}
    _print_packed(console, [told[name] for name in titles if row[name]])
    rest = [told[name] for name in columns if name not in titles and row[name]]
    _print_packed(console, rest, indent=2)


def _fact(name: str, header: str, cell: str) -> str:
    return cell if name in _UNLABELLED else f"[dim]{header}[/] {cell}"


def _print_packed(console: Console, facts: Sequence[str], *, indent: int = 0) -> None:
    """Write facts in as few lines as hold them, none of them split where that can be."""
    lines: list[list[str]] = [[]]
    used = 0
    for fact in facts:
        width = Text.from_markup(fact).cell_len + 2
        if lines[-1] and indent + used + width - 2 > console.width:
            lines.append([])
            used = 0
        lines[-1].append(fact)
        used += width
    for line in lines:
        console.print(Padding("  ".join(line), (0, 0, 0, indent), expand=False))
