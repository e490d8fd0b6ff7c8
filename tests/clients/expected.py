"""What each client does with a file that `load` made.

`test_clients.py` runs it, `page.py` writes docs/clients.md from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VERSIONS = tomllib.loads(Path(__file__).with_name("versions.toml").read_text(encoding="utf-8"))
# The zones that the clients run in: of the process, and of the session where it can be set.
PROCESS, SESSION = "Asia/Kolkata", "America/Bogota"
MINUTES = {330: "process", -300: "session", 0: "UTC"}

CHECKS = {
    "version": "DuckDB",
    "rows": "v1.2.0",
    "rows_v2": "v2.0.0",
    "listed": "lists",
    "payloads": "payload",
    "key": "`->>`",
    "time": "`emitted_at`",
    "views": "views",
    "comment": "comments",
}
USUAL = dict.fromkeys(CHECKS, "yes") | {"payloads": "text", "time": "session"}


@dataclass(frozen=True)
class Note:
    """Why a cell is odd, and what to do.

    Attributes:
        text: as the page has it.
        errors: parts of messages, one of which the client's has; none where nothing is raised.
        instead: the cell of the advice, which the client's script follows as `<check>_instead`.
    """

    text: str
    errors: tuple[str, ...] = ()
    instead: str | None = None


TOO_NEW = Note(
    "DuckDB before 2.0 cannot open what DuckDB 2.0 makes by default. Leave `--storage-version`\n"
    "   out, or copy: `pipedream-source compact --to copy.duckdb --storage-version v1.2.0`.",
    errors=("but we can only read versions between 64 and 6",),
)
COPIED = Note(
    "Newer versions of DuckDB leave pointers in the metadata that lead nowhere, and DuckDB before\n"
    "   1.4.2 follows them. It opens a new file, but after later loads it fails on some, with\n"
    '   "Failed to load metadata pointer"; newer ones read the same file. Open a copy, as the\n'
    "   test does (`pipedream-source compact --to copy.duckdb`), or use 1.4.2 or newer.",
    errors=("Failed to load metadata pointer",),
)
PYTZ = Note(
    "Before 2.0 the Python client needs pytz for a time with a zone, in views too, and does not\n"
    "   install it. `pip install pytz`, then it arrives in the zone of the session.",
    errors=("Required module 'pytz' failed to import",),
    instead="session",
)
PARSED = Note(
    "The client parses values of type JSON: of a key that stands twice one value is left, `1e400`\n"
    '   becomes infinity. `CAST(event AS VARCHAR)`, in ibis `event.cast("string")`, arrives byte\n'
    "   for byte.",
    instead="text",
)
IN_JSON = Note(
    "`duckdb -json` writes the payload as a part of its own JSON, where `NaN` is an error to\n"
    "   strict readers. `CAST(event AS VARCHAR)` arrives byte for byte, as a text.",
    instead="text",
)
IBIS = Note(
    "`list_tables()` and `sql()` of ibis 12 call a method that duckdb 2.0 dropped, and leave the\n"
    "   connection unusable: connect again. Use duckdb 1.5, or expressions of `table(…)` and\n"
    "   `raw_sql(…).fetchall()`.",
    errors=("has no attribute 'fetch_arrow_table'",),
    instead="yes",
)
ZONE = Note(
    "`polars.read_database(query, connection)` ignores `SET TimeZone` of the connection. The\n"
    "   moment is right; `connection.sql(query).pl()` has the zone of the session.",
    instead="session",
)
REFLECTION = Note(
    "From 2.0.55 on SQLAlchemy reflects with catalogs of Postgres that DuckDB lacks. Use\n"
    "   `sqlalchemy<2.0.55`, or `inspect(engine)` with `get_table_names(…)` and\n"
    "   `get_view_names(…)`, and SQL.",
    errors=("Type with name REGCLASS does not exist", '"pg_catalog.pg_collation" not found'),
    instead="yes",
)
DATASETTE = Note(
    "datasette-parquet knows only the schema `main`: its page of the database is an error, and so\n"
    "   is the first request after its start, whatever it asks. Then SQL works, by\n"
    "   `/events.json?sql=SELECT …`.",
    errors=("Catalog Error: Table with name",),
    instead="yes",
)
OFFLINE = Note(
    "DuckDB-WASM loads its extensions `json` and `icu` from the network when a query needs them.\n"
    "   The test is offline, with `SET autoload_known_extensions = false`: all else works without\n"
    "   them. Cast payloads to text and take them apart in JavaScript, or let the page load the\n"
    "   extensions.",
    errors=("exists in the json extension",),
)

Cell = str | tuple[str, Note]
Odd = Mapping[str, Cell]


@dataclass(frozen=True)
class Client:
    """A row of the table.

    Attributes:
        environment: its name in `versions.toml`.
        name: what people call it.
        script: its file in `scripts/`.
        version: that of the DuckDB within it.
        odd: cells that are not the usual ones.
        reads_copies: it is tested with a compact copy, as it may fail to open the file itself.
    """

    environment: str
    name: str
    script: str
    version: str
    odd: Odd = field(default_factory=dict)
    reads_copies: bool = False

    @property
    def packages(self) -> list[str]:
        """What is installed by name, as pip and npm write it."""
        (found,) = [one[self.environment] for one in VERSIONS.values() if self.environment in one]
        return list(found)

    @property
    def cells(self) -> dict[str, Cell]:
        """What each check comes to."""
        return {**USUAL, "version": self.version, **self.odd}


_OLD: Odd = {"rows_v2": ("no", TOO_NEW)}
_PYTHON: Odd = {**_OLD, "time": ("no", PYTZ)}
_COPIED: Odd = {**_PYTHON, "rows": ("a copy", COPIED)}
_DATE: Odd = {**_OLD, "time": "`Date`"}
_WASM: Odd = {**_OLD, "time": "ms", "key": ("no", OFFLINE), "views": ("no", OFFLINE)}
_PARSED: Odd = {"payloads": ("parsed", PARSED)}
_UNREFLECTED: Odd = {**_PARSED, "listed": ("no", REFLECTION), "comment": ("no", REFLECTION)}
_IBIS: Odd = {**_PARSED, "time": "UTC"}
_IBIS_ON_2: Odd = {**_IBIS, "listed": ("no", IBIS), "key": ("no", IBIS)}
_DATASETTE: Odd = {"listed": ("no", DATASETTE), "time": "process"}

CLIENTS = (
    Client("duckdb-1.2", "Python", "with_duckdb.py", "1.2.2", _COPIED, reads_copies=True),
    Client("duckdb-1.3", "Python", "with_duckdb.py", "1.3.2", _COPIED, reads_copies=True),
    Client("duckdb-1.4", "Python", "with_duckdb.py", "1.4.5", _PYTHON),
    Client("duckdb-1.5", "Python", "with_duckdb.py", "1.5.6", _PYTHON),
    Client("duckdb-2.0", "Python", "with_duckdb.py", "2.0.1"),
    Client("cli", "command", "with_cli.py", "1.5.6", {**_OLD, "payloads": ("parsed", IN_JSON)}),
    Client("node-api", "Node", "with_node_api.mjs", "1.5.6", _DATE),
    Client("wasm", "WebAssembly", "with_wasm.mjs", "1.4.3", _WASM),
    Client("evidence", "Evidence", "with_evidence.mjs", "1.4.2", _DATE),
    Client("ibis-on-1.5", "ibis", "with_ibis.py", "1.5.6", {**_OLD, **_IBIS}),
    Client("ibis-on-2.0", "ibis", "with_ibis.py", "2.0.1", _IBIS_ON_2),
    Client("polars", "polars", "with_polars.py", "2.0.1", {"time": ("process", ZONE)}),
    Client("sqlalchemy-1.4", "SQLAlchemy", "with_sqlalchemy.py", "2.0.1", _PARSED),
    Client("sqlalchemy-2.0.54", "SQLAlchemy", "with_sqlalchemy.py", "2.0.1", _PARSED),
    Client("sqlalchemy-2.0", "SQLAlchemy", "with_sqlalchemy.py", "2.0.1", _UNREFLECTED),
    Client("sqlalchemy-2.1", "SQLAlchemy", "with_sqlalchemy.py", "2.0.1", _UNREFLECTED),
    Client("harlequin", "harlequin", "with_harlequin.py", "2.0.1"),
    Client("datasette", "Datasette", "with_datasette.py", "2.0.1", _DATASETTE),
)
