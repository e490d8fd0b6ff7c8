"""A database as loads leave it, with events of one's own in it, for the verbs that read."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.integration.command import DATABASE, Command

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
EMITTER = "dc_abc123"
_TABLES = """\
CREATE SCHEMA pipedream;
CREATE TABLE pipedream.stream_status (
    emitter_id TEXT, channel TEXT, last_polled_at TIMESTAMPTZ, last_error TEXT, fill DOUBLE,
    window_seconds DOUBLE, window_size BIGINT, _dlt_load_id TEXT);
CREATE TABLE pipedream.source_event_summaries (
    emitter_id TEXT, channel TEXT, id TEXT, emitted_at TIMESTAMPTZ, event_seq BIGINT,
    indexed_at TIMESTAMPTZ, event JSON, event_state TEXT, _dlt_load_id TEXT)"""


def holding(folder: Path, *payloads: str) -> Command:
    """Make a database whose events have these payloads, the first the oldest."""
    rows = [(f"{i + 1}-0", MOMENT, i, payload) for i, payload in enumerate(payloads)]
    return holding_rows(folder, rows)


def holding_rows(folder: Path, rows: Iterable[tuple[str, Any, int, str | None]]) -> Command:
    """Make a database with events of one source: id, time, sequence number, payload."""
    with duckdb.connect(str(folder / DATABASE)) as database:
        database.execute(_TABLES)
        for event_id, moment, seq, payload in rows:
            database.execute(
                "INSERT INTO pipedream.source_event_summaries VALUES (?, '', ?, ?, ?, ?, ?, ?, ?)",
                [EMITTER, event_id, moment, seq, moment, payload, "full", "1.0"],
            )
    return Command(folder)
