"""Where the command writes: results to stdout, everything else to stderr.

Names, ids and errors come from an API that others fill: whatever of them is shown goes through
`shown`, so that neither rich's markup nor the terminal obeys it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipedream_source.core.redaction import printable

# Wide enough for every table of ours; what reads a pipe has no edge to wrap at.
_PIPED_WIDTH = 120
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def out() -> Console:
    """Return the console for results."""
    return Console(width=_width(sys.stdout.isatty()), highlight=False, soft_wrap=False)


def err() -> Console:
    """Return the console for everything that is no result."""
    width = _width(sys.stderr.isatty())
    return Console(stderr=True, width=width, highlight=False, soft_wrap=False)


def _width(is_terminal: bool) -> int | None:
    return None if is_terminal or os.environ.get("COLUMNS") else _PIPED_WIDTH


def shown(text: object, limit: int = 200) -> str:
    """Make a text of unknown origin harmless for the terminal and for rich's markup."""
    line = " ".join(printable(str(text), limit).split("\n"))
    return escape(line)


def print_json(value: Any) -> None:
    """Write one JSON object to stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_jsonable) + "\n")
    sys.stdout.flush()


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else repr(value)


def grid(rows: Iterable[tuple[str, str]]) -> Table:
    """Return lines of a label and a text, aligned, without borders."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, text)
    return table


def plain_table(*headers: str | Mapping[str, Any]) -> Table:
    """Return a table in the command's style; a header may be a mapping of column settings."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for header in headers:
        settings = {"header": header} if isinstance(header, str) else dict(header)
        table.add_column(**settings)
    return table


def when_column(header: str) -> dict[str, Any]:
    """Return the settings of a column of times."""
    return {"header": header, "no_wrap": True, "style": "dim"}


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


def nbytes(count: int) -> str:
    """Write a number of bytes."""
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 1_000_000 else f"{count / 1e6:,.1f} MB"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def lost_range(least: int | None, likely: int | None, most: int | None) -> str:
    """Write a loss: always a range, with the likely number where there is one."""
    if least is None:
        return "-"
    if most is None or likely is None:
        return f"at least {least:,}"
    return f"{least:,} to {most:,}, likely {likely:,}"
