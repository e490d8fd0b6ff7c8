"""Where the command writes: results to stdout, everything else to stderr.

Names, ids and errors come from an API that others fill: whatever of them is shown goes through
`shown`, so that neither rich's markup nor the terminal obeys it. rich is imported when something
is shown: a quiet load shows nothing.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

from pipedream_source.cli.output.json_text import dumped
from pipedream_source.core.text.redaction import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

    from pipedream_source.core.completeness.loss_sum import LossSum

# Wide enough for every table of ours; what reads a pipe has no edge to wrap at.
_PIPED_WIDTH = 120
_TRAILING = re.compile(r"[ \t]+(?=\n)")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


class _Trimmed:
    """Writes to a file or a pipe without the spaces that rich fills lines with."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_TRAILING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def out() -> Console:
    """Return the console for results."""
    return _console(sys.stdout)


def err() -> Console:
    """Return the console for everything that is no result."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    if stream.isatty():
        return Console(file=stream, highlight=False)
    width = None if os.environ.get("COLUMNS") else _PIPED_WIDTH
    return Console(file=cast(TextIO, _Trimmed(stream)), width=width, highlight=False)


def shown(text: object, limit: int = 200) -> str:
    """Make a text of unknown origin harmless for the terminal and for rich's markup."""
    from rich.markup import escape

    line = " ".join(printable(str(text), limit).split("\n"))
    return escape(line)


def print_json(value: Any) -> None:
    """Write one JSON document to stdout."""
    print_text(dumped(value, indent=2))


def to_json(value: Any) -> str:
    """Return a JSON value on one line."""
    return dumped(value)


def print_text(text: str) -> None:
    """Write a line to stdout at once, for whoever reads the pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def grid(rows: Iterable[tuple[str, str]]) -> Table:
    """Return lines of a label and a text, aligned, without borders."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, text)
    return table


def plain_table(*columns: Column) -> Table:
    """Return a table in the command's style."""
    from rich.table import Table

    return Table(*columns, box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")


def column(header: str, *, right: bool = False, most: int | None = None, style: str = "") -> Column:
    """Return a column whose cells stay on one line, cut at `most` characters."""
    from rich.table import Column

    justify: Literal["left", "right"] = "right" if right else "left"
    return Column(header, justify=justify, max_width=most, no_wrap=True, style=style)


def moment(value: datetime | None, *, seconds: bool = False) -> str:
    """Write a time in UTC, to the minute."""
    return value.strftime(f"%Y-%m-%d %H:%M{':%S' if seconds else ''}") if value else "-"


def duration(seconds: float | None) -> str:
    """Write a duration in its largest fitting unit, such as `45s`, `12m`, `3.4h` or `2d`."""
    if seconds is None:
        return "-"
    for size, unit in _UNITS:
        if seconds >= size:
            count = seconds / size
            return f"{count:.1f}{unit}" if count < 10 and size >= 3_600 else f"{count:.0f}{unit}"
    return "0s" if seconds <= 0 else "<1s"


def number(value: float | None) -> str:
    """Write a number with as many decimals as it deserves."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def compact(count: int) -> str:
    """Write a whole number, a large one rounded."""
    return f"{count:,}" if count < 1_000_000 else f"{count / 1e6:,.0f} M"


def nbytes(count: int) -> str:
    """Write a number of bytes."""
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 1_000_000 else f"{count / 1e6:,.1f} MB"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def lost_range(least: int | None, likely: int | None, most: int | None) -> str:
    """Write a loss: a range with the likely number where there is one, or what is known exactly."""
    if least is None:
        return "-"
    if most is None or likely is None:
        return f"at least {compact(least)}"
    if 0 < least == most:
        return compact(least)
    return f"{compact(least)} to {compact(most)}, likely {compact(likely)}"


def lost_total(lost: LossSum, noun: str = "gap") -> str:
    """Write how many events several gaps lost: a range, and that some have none.

    Args:
        lost: what they lost together.
        noun: what each of them is.
    """
    more = lost.least - lost.bounded_least
    if not lost.unbounded:
        return f"{compact(lost.bounded_least)} to {compact(lost.bounded_most)} events"
    if not lost.bounded:
        return (
            f"at least {plural(more, 'event')}, how many more is unknown"
            if more
            else "an unknown number of events"
        )
    told = f"at least {compact(more)}" if more else "an unknown number"
    where = plural(lost.unbounded, noun)
    bounded = f"{compact(lost.bounded_least)} to {compact(lost.bounded_most)} events"
    return f"{bounded} and, in {where}, {told} more"
