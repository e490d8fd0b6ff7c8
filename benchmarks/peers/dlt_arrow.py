"""The least that a load takes through dlt, which appends rows: dlt_arrow.py PARQUET DATABASE."""

from __future__ import annotations

import sys

import dlt
import pyarrow.parquet as pq

parquet, database = sys.argv[1:]
pipeline = dlt.pipeline(
    "bench_dlt_arrow",
    destination=dlt.destinations.duckdb(database),
    dataset_name="pipedream",
    pipelines_dir=f"{database}.dlt",
)
pipeline.run(
    pq.read_table(parquet),
    table_name="source_event_summaries",
    columns={"event": {"data_type": "json"}, "metadata": {"data_type": "json"}},
)
