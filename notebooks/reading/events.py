"""The events of one stream: their pace, sizes and contents, and files of those selected."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pipedream_source import PayloadSearch

from .database import Database
from .tables import EVENT_TABLES

FileFormat = Literal["csv", "parquet", "json"]

_MOST_BARS = 120
_LEAST_BARS = 24
_PER_BAR = 4
_SECONDS = (1, 5, 15, 60, 300, 600, 1_800, 3_600, 4 * 3_600, 12 * 3_600, 86_400, 7 * 86_400)
_SAMPLE = 500
_PREVIEW = 160
_IN_FILES = (
    *("emitter_id", "channel", "id", "emitted_at", "event_seq", "indexed_at", "event_state"),
)
_JSON_LINE = (
    f"rtrim(to_json({{{', '.join(f'{name!r}: {name}' for name in _IN_FILES)}}})::VARCHAR, '}}') "
    "|| ',\"event\":' || "
    "coalesce(replace(replace(event::VARCHAR, chr(10), ' '), chr(13), ' '), 'null') || '}'"
)
# A step of a path as `json_tree` writes it: `."a name"`, `.name` or `[0]`.
_STEP = r"""\.(?:"(?:[^"\\]|\\.)*"|[^.\["]+)|\[[0-9]+\]"""
# DuckDB refuses the first as a step, and takes the second for any key.
_NO_STEPS = """['.""', '."*"']"""
# A step within a JSON pointer (RFC 6901).
_POINTED = r"""'/' || replace(replace(CASE
    WHEN step[1] = '[' THEN step[2:-2]
    WHEN step[2] = '"' THEN replace(replace(step[3:-2], '\"', '"'), '\\', '\')
    ELSE step[2:] END, '~', '~0'), '/', '~1')"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Events of one stream.

    Attributes:
        table: the table that holds them.
        since, until: only those emitted from, and before; None leaves that end open.
        text: only those whose payload holds it, small and capital letters alike; the text of a
            payload is that of `pipedream-source search`.
    """

    table: str
    emitter_id: str
    channel: str
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    def __post_init__(self) -> None:
        if self.table not in EVENT_TABLES:
            raise ValueError(f"{self.table!r} is no table of events")

    def query(self, columns: str, then: str = "") -> str:
        """Return a query over the selected events, for `parameters`."""
        found = f"AND {self._search.condition('event')}" if self.text else ""
        return (
            f"SELECT {columns} FROM {self.table} "  # noqa: S608
            "WHERE emitter_id = $emitter_id AND channel = $channel "
            "AND ($since::TIMESTAMPTZ IS NULL OR emitted_at >= $since) "
            f"AND ($until::TIMESTAMPTZ IS NULL OR emitted_at < $until) {found} {then}"
        )

    @property
    def parameters(self) -> dict[str, object]:
        """The values that its queries take."""
        names = ("emitter_id", "channel", "since", "until")
        searched = self._search.parameters if self.text else {}
        return {name: getattr(self, name) for name in names} | searched

    @property
    def _search(self) -> PayloadSearch:
        return PayloadSearch.of_text(self.text)


def summary(database: Database, selection: Selection) -> dict[str, Any]:
    """Return how many events are selected, from when to when, and how large they are.

    Returns:
        `events`, `first_at`, `last_at`, `bytes`, `median_bytes`, `largest_bytes`, `days`.
    """
    columns = (
        "count(*) AS events, min(emitted_at) AS first_at, max(emitted_at) AS last_at, "
        "coalesce(sum(strlen(event::VARCHAR)), 0)::BIGINT AS bytes, "
        "coalesce(median(strlen(event::VARCHAR)), 0)::BIGINT AS median_bytes, "
        "coalesce(max(strlen(event::VARCHAR)), 0)::BIGINT AS largest_bytes, "
        "count(DISTINCT emitted_at::DATE) AS days"
    )
    found = database.frame(selection.query(columns), selection.parameters)
    return dict(zip(found.columns, found.iloc[0], strict=True))


def bar_seconds(first: datetime | None, last: datetime | None, events: float) -> int:
    """Return a step of time in which a chart of so many events shows their pace."""
    if first is None or last is None:
        return 3_600
    span = (last - first).total_seconds()
    bars = min(max(events / _PER_BAR, _LEAST_BARS), _MOST_BARS)
    return next((s for s in _SECONDS if span / s <= bars), 30 * 86_400)


def pace(database: Database, selection: Selection, seconds: int) -> pd.DataFrame:
    """Return how many events each step of time brought.

    Returns:
        Columns start, end, events; steps without events are left out.
    """
    start = "time_bucket(to_seconds($seconds), emitted_at)"
    query = selection.query(
        f"{start} AS start, {start} + to_seconds($seconds) AS end, count(*) AS events",
        "GROUP BY ALL ORDER BY start",
    )
    return database.frame(query, {**selection.parameters, "seconds": seconds})


def sizes(database: Database, selection: Selection) -> pd.DataFrame:
    """Return how many payloads there are of each size, four steps to each doubling.

    Returns:
        Columns from_bytes, to_bytes, events.
    """
    step = "floor(log2(greatest(strlen(event::VARCHAR), 1)) * 4)"
    return database.frame(
        selection.query(
            f"pow(2, {step} / 4) AS from_bytes, pow(2, ({step} + 1) / 4) AS to_bytes, "
            "count(*) AS events",
            "AND event IS NOT NULL GROUP BY ALL ORDER BY from_bytes",
        ),
        selection.parameters,
    )


def paths(database: Database, selection: Selection, sample: int = _SAMPLE) -> pd.DataFrame:
    """Return the JSON paths of the newest payloads.

    Args:
        sample: how many payloads to look at.

    Returns:
        Columns path (`[*]` for any element; a JSON pointer, such as `/a/`, where no path of DuckDB
        leads), types, events (that have it), share, example.
    """
    newest = selection.query(
        "id, event", f"ORDER BY emitted_at DESC, event_seq DESC LIMIT {sample}"
    )
    query = f"""
        WITH picked AS ({newest}),
        stepped AS (
            SELECT picked.id, t.id AS place, t.value::VARCHAR AS value, t.fullkey,
                   CASE WHEN contains(t.fullkey, '"')
                        THEN regexp_extract_all(t.fullkey, '{_STEP}') END AS steps,
                   CASE t.type WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean'
                        WHEN 'NULL' THEN 'null' ELSE 'number' END AS type
            FROM picked, json_tree(picked.event) AS t WHERE t.type NOT IN ('OBJECT', 'ARRAY')
        ),
        leaves AS (
            SELECT id, place, value, type,
                   CASE WHEN steps IS NULL
                        THEN regexp_replace(fullkey, '\\[[0-9]+\\]', '[*]', 'g')
                        WHEN list_has_any(steps, {_NO_STEPS})
                        THEN array_to_string(list_transform(steps, lambda step: {_POINTED}), '')
                        ELSE '$' || array_to_string(list_transform(steps, lambda step:
                             CASE WHEN step[1] = '[' THEN '[*]' ELSE step END), '')
                   END AS path
            FROM stepped
        )
        SELECT path, string_agg(DISTINCT type, ' | ' ORDER BY type) AS types,
               count(DISTINCT id) AS events,
               count(DISTINCT id) / (SELECT greatest(count(*), 1) FROM picked) AS share,
               left(coalesce(any_value(value) FILTER (value <> 'null'), 'null'), 80) AS example
        FROM leaves GROUP BY path ORDER BY min(place), path"""  # noqa: S608
    return database.frame(query, selection.parameters)


def fields(database: Database, selection: Selection) -> pd.DataFrame:
    """Return the fields of all payloads of a stream from dbt's marts; none where these are not.

    Returns:
        Columns path, types, events, share, drift (`appeared`, `vanished`, `changed type` or
        `steady` within the newest events), first_seen_at, last_seen_at, example.
    """
    return database.frame(
        "SELECT path, types, events, share, drift, first_seen_at, last_seen_at, "
        "left(example, 80) AS example "
        "FROM fct_payload_fields WHERE emitter_id = ? AND channel = ? "
        "ORDER BY drift = 'steady', path",
        [selection.emitter_id, selection.channel],
    )


def newest(database: Database, selection: Selection, limit: int = 200) -> pd.DataFrame:
    """Return the newest of the selected events.

    Returns:
        Columns emitted_at, id, bytes, payload (its beginning).
    """
    return database.frame(
        selection.query(
            "emitted_at, id, strlen(event::VARCHAR) AS bytes, "
            f"left(event::VARCHAR, {_PREVIEW}) AS payload",
            f"ORDER BY emitted_at DESC, event_seq DESC LIMIT {limit}",
        ),
        selection.parameters,
    )


def whole(database: Database, selection: Selection, event_id: str) -> pd.Series | None:
    """Return one event with all its columns; None when it is not there."""
    query = (
        f"SELECT *, event::VARCHAR AS payload FROM {selection.table} "  # noqa: S608
        "WHERE emitter_id = ? AND channel = ? AND id = ?"
    )
    found = database.frame(query, [selection.emitter_id, selection.channel, event_id])
    return None if found.empty else found.iloc[0]


def file_of(database: Database, selection: Selection, file_format: FileFormat) -> bytes:
    """Return the selected events as a file: payloads as sent, as text or inside JSON as JSON.

    Args:
        file_format: `csv`, `parquet` or `json` (one object a line, so line breaks between the
            tokens of a payload are spaces).
    """
    columns, how = f"{', '.join(_IN_FILES)}, event", f"FORMAT {file_format}"
    if file_format == "json":
        # DuckDB's own JSON would write numbers and escapes anew.
        columns, how = _JSON_LINE, "FORMAT csv, HEADER false, QUOTE ''"
    query = selection.query(columns, "ORDER BY emitted_at, event_seq")
    with tempfile.TemporaryDirectory() as folder, database.reading() as connection:
        file = Path(folder, f"events.{file_format}")
        target = str(file).replace("'", "''")
        connection.execute(f"COPY ({query}) TO '{target}' ({how})", selection.parameters)
        return file.read_bytes()


def file_name(selection: Selection, file_format: FileFormat) -> str:
    """Return a name for such a file."""
    channel = "".join(c if c.isalnum() else "-" for c in selection.channel)
    return "-".join(p for p in (selection.emitter_id, channel) if p) + f".{file_format}"
