"""Writes docs/tables.md from the descriptions: `python -m tests.integration.tables_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipedream_source.resources.schema.descriptions import DLT_TABLES, TABLES
from pipedream_source.resources.schema.table import OWN, VERSION, Columns
from pipedream_source.resources.schema.tables import SCD2
from pipedream_source.resources.schema.views import VIEWS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
_HEAD = """# Tables and views

This page is written from the descriptions in `pipedream_source/resources/`
(`python -m tests.integration.tables_page`), as are the comments in the database and what
`pipedream-source tables` prints. Types are dlt's: `timestamp` is `TIMESTAMPTZ`, `json` is `JSON` on
DuckDB and `JSONB` on Postgres.

## What stands in the database

`pipedream-source load` writes comments on all tables and columns, and makes the views, in DuckDB
files and on Postgres; elsewhere it does neither. It does so after a load, where they are missing
or an older version made them, and costs other loads nothing. Where the user may not comment or
make views, the load goes on without. After `pipeline.run(…)` alone, `describe(pipeline)` does the
same.

```sql
SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'stream_status';
```

On Postgres: `\\d+ pipedream.stream_status`.

- **A name of your own**: a table or view of yours called `events`, say, is left as it is. The
  load says so once, and makes no view of that name.
- **Tables that do not exist yet** are read as empty: every view has all its columns from the
  start.
- **Your views on ours**: on Postgres a view that others depend on is replaced only if it keeps
  its columns; else the load says that it stays as it was. `DROP VIEW` yours, and the next load
  replaces it.
- **Dropping a table or column**: Postgres refuses while a view reads it; `DROP TABLE … CASCADE`
  takes the views along, and the next load makes them again. So does `dlt pipeline … drop` there:
  drop the views first. DuckDB drops, and the view fails until the table is there again.
- **Renaming or attaching a DuckDB file** changes nothing; DuckDB 1.2 and
  later [read the views](clients.md), before 1.4.2 in a copy that `compact --to` makes.
- **dlt's dataset access** (`pipeline.dataset()`) knows tables only. Read views by the database's
  own client, or run their text: `view_query("errors")` gives the SELECT, also for a file that has
  no views.
"""
_TABLE = "| column | type | unit | meaning |\n|---|---|---|---|"


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    yield "## Tables\n"
    for table in TABLES:
        history = " Keeps every version of a row." if table.merge == SCD2 else ""
        key = f" Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
        yield from _section(table.name, f"{table.about}{history}{key}", table.fields)
    yield "### Columns of dlt\n\nIn every table; the first two where versions are kept.\n"
    yield from _columns({**VERSION, **OWN})
    yield "## Views\n"
    for view in VIEWS.values():
        yield from _section(view.name, view.about, view.fields)
    yield "## Tables of dlt\n"
    for own in DLT_TABLES:
        yield from _section(own.name, own.about, own.fields)


def _section(name: str, about: str, fields: Columns) -> Iterator[str]:
    yield f"### {name}\n\n{about}\n"
    yield from _columns(fields)


def _columns(fields: Columns) -> Iterator[str]:
    yield _TABLE
    yield from (f"| `{n}` | {c.kind} | {c.unit} | {c.about} |" for n, c in fields.items())
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
