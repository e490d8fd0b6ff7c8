"""What stands in a dataset beside our own tables, and what tells all descriptions from others."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final, NamedTuple

from pipedream_source.resources.schema import tables
from pipedream_source.resources.schema.table import OWN, Columns, Table, text, time, whole
from pipedream_source.resources.schema.views import VIEWS

TABLES: Final = tuple(value for value in vars(tables).values() if isinstance(value, Table))

_HASH: Final = {"version_hash": text("Hash of the schema.")}
_SCHEMA: Final = {"schema_name": text("Name of the schema: `pipedream`.")}
_ENGINE: Final = {"engine_version": whole("Version of dlt's format.")}
_VERSION: Final = {"version": whole("Number of its changes.")}
_INSERTED: Final = {"inserted_at": time("When the row was written.")}


class Described(NamedTuple):
    """A table as it stands in the database.

    Attributes:
        name: its name.
        about: what a row is, in a sentence.
        fields: its columns.
    """

    name: str
    about: str
    fields: Columns


DLT_VERSION: Final = Described(
    "_dlt_version",
    "dlt's own: one row per version of the schema of these tables.",
    {
        **_VERSION,
        **_ENGINE,
        **_INSERTED,
        **_SCHEMA,
        **_HASH,
        "schema": text("The schema as JSON."),
    },
)
DLT_TABLES: Final = (
    Described(
        "_dlt_loads",
        "dlt's own: one row per load package that was loaded whole.",
        {
            "load_id": text("Id of the load: Unix seconds."),
            **_SCHEMA,
            "status": whole("State of the load: 0 for loaded."),
            **_INSERTED,
            "schema_version_hash": text("Hash of the schema; see `_dlt_version`."),
        },
    ),
    Described(
        "_dlt_pipeline_state",
        "dlt's own: the cursors of each stream, of the newest loads.",
        {
            **_VERSION,
            **_ENGINE,
            "pipeline_name": text("Name of the pipeline: `pipedream_events`."),
            "state": text("The state, compressed, as base64."),
            "created_at": time("When the state was saved."),
            "version_hash": text("Hash of the state."),
            **OWN,
        },
    ),
    DLT_VERSION,
)


@cache
def described() -> tuple[Described, ...]:
    """Return every table that has a description, dlt's own last."""
    ours = (Described(table.name, table.about, table.stored) for table in TABLES)
    return (*ours, *DLT_TABLES)


@cache
def definitions() -> str:
    """Return a digest of all descriptions and views: another one means that they changed."""
    views = [(view.name, view.about, view.query()) for view in VIEWS.values()]
    fields = [[*view.fields.items()] for view in VIEWS.values()]
    whole_text = repr(
        [[(d.name, d.about, [*d.fields.items()]) for d in described()], views, fields]
    )
    return hashlib.sha256(whole_text.encode()).hexdigest()[:12]
