"""The rows of an input as a Parquet file, and as rows of a table that is large already."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.inputs import Input, emitter_of, everything, id_ms, metadata, payload


def write_parquet(given: Input, path: Path) -> None:
    """Write what a first load brings, for DuckDB to read."""
    places = list(everything(given, with_fresh=False))
    ms = [id_ms(given, stream, place) for stream, place in places]
    table = pa.table(
        {
            "emitter_id": [emitter_of(stream) for stream, _ in places],
            "id": [f"{value}-0" for value in ms],
            "indexed_at": pa.array(ms, pa.timestamp("ms", tz="UTC")),
            "event": [payload(given, *at).decode() for at in places],
            "metadata": [metadata(*at).decode() for at in places],
        }
    )
    pq.write_table(table, path, compression="snappy")


def fill(database: Path, rows: int) -> None:
    """Add older rows of other emitters to the table of events, as if loaded long ago."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            INSERT INTO pipedream.source_event_summaries BY NAME
            SELECT
                'dc_old' || (n // 100000) AS emitter_id,
                '' AS channel,
                (1500000000000 + n * 1000) || '-0' AS id,
                make_timestamptz((1500000000000 + n * 1000) * 1000) AS emitted_at,
                0 AS event_seq,
                ('{"number":' || n || ',"text":"' || repeat('x', 250) || '"}')::JSON AS event,
                'full' AS event_state,
                'poll' AS origin,
                '0' AS _dlt_load_id,
                'old' || n AS _dlt_id
            FROM range($1) AS numbers(n)
            """,
            [rows],
        )
