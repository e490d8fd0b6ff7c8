"""The least that loading takes: ingest.py PARQUET DATABASE: DuckDB reads the same rows."""

from __future__ import annotations

import sys

import duckdb

parquet, database = sys.argv[1:]
with duckdb.connect(database) as connection:
    connection.execute("CREATE SCHEMA pipedream")
    connection.execute(
        "CREATE TABLE pipedream.source_event_summaries AS "
        "SELECT * REPLACE (event::JSON AS event, metadata::JSON AS metadata) FROM read_parquet($1)",
        [parquet],
    )
