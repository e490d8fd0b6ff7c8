"""Writes docs/clients.md from what `make test-clients` runs: `python -m tests.clients.page`."""

from __future__ import annotations

import re
from pathlib import Path

from tests.clients.expected import CHECKS, CLIENTS, Client, Note

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
_HEAD = """# What opens the DuckDB file

`make test-clients` runs each cell. It loads twice from the sandbox into a file as `load` makes it
(storage version v1.2.0, ZSTD, comments, views) and into one of v2.0.0, installs each client with
the versions shown, opens both files read-only and compares what arrives with what was sent. This
page is written from the expectations of that test (`python -m tests.clients.page`), so a cell that
is no longer true fails there.
"""
_MEANINGS = {
    "DuckDB": "version of the engine within the client",
    "v1.2.0, v2.0.0": "a file of this storage version opens, and `source_event_summaries` has as "
    "many rows as were loaded",
    "lists": "the client's own list of the dataset has every table and every view; for SQLAlchemy "
    "`MetaData.reflect`",
    "payload": "`event` of five odd payloads (a key that stands twice, `1e400`, `NaN`, `\\u0000`, "
    "20 digits, 100 KB) arrives as text, byte for byte",
    "`->>`": "`event ->> '$.path'` in SQL, as the client takes SQL",
    "`emitted_at`": "denotes the moment in the event's id. It arrives in the zone of the session "
    "(`SET TimeZone`), of the process (`TZ`) or in UTC, as JavaScript's `Date`, or as milliseconds "
    "since 1970 in UTC",
    "views": "all six, with every column of every row; and the SQL examples of the README",
    "comments": "the comment on the column `emitted_at`, for SQLAlchemy a reflected one",
}
_TAIL = """The older npm package `duckdb` is not in the table. It is deprecated, and its binary is
no part of it, but is downloaded or compiled by its installation. `@duckdb/node-api` replaces it.

[The DuckDB file](destinations.md#the-duckdb-file) tells of storage versions.
"""


def page() -> str:
    """Return the page."""
    notes: list[Note] = []
    rows = [_row(client, notes) for client in CLIENTS]
    head = [f"| client | {' | '.join(CHECKS.values())} |", "|---" * (len(CHECKS) + 1) + "|"]
    told = [f"{number}. {note.text}" for number, note in enumerate(notes, 1)]
    meant = [f"| {column} | {meaning} |" for column, meaning in _MEANINGS.items()]
    columns = ["| column | what is tested |", "|---|---|", *meant]
    return "\n".join([_HEAD, *head, *rows, "", *told, "", *columns, "", _TAIL])


def _row(client: Client, notes: list[Note]) -> str:
    cells = []
    for cell in client.cells.values():
        if isinstance(cell, str):
            cells.append(cell)
            continue
        text, note = cell
        if note not in notes:
            notes.append(note)
        cells.append(f"{text} <sup>{notes.index(note) + 1}</sup>")
    return f"| {client.name}: {_versions(client)} | {' | '.join(cells)} |"


def _versions(client: Client) -> str:
    """Write `name[extra]==1.0` and `@owner/name@1.0` as a name and a version."""
    found = (re.fullmatch(r"(@?[^@=\[]+)(?:\[.*\])?(?:==|@)(.+)", one) for one in client.packages)
    return ", ".join(f"`{match[1]}` {match[2]}" for match in found if match)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
