"""Load everything into Parquet files in a folder or a bucket, or into a lakehouse of Delta tables.

Needs PIPEDREAM_API_KEY; for a bucket also `pip install 'dlt[s3]'` (or gs, az) and its credentials
under [destination.filesystem.credentials] in .dlt/secrets.toml.

What you get, as files cannot merge:
- Events, gaps and quarantined rows stand there once, as only new ones are written. A load that was
  interrupted writes the same files again, under the same names. Only `full_window=True`, and a
  window that is read whole again after `regressed` or `purged`, writes rows twice: take the newest
  `_dlt_load_id` of each emitter_id, channel and id.
- `stream_status`, `stream_coverage`, `workflows` and `components` get a row with each load, the
  newest counts; `sources` and `webhooks` a row for each version, without `_dlt_valid_to`.

With TABLE_FORMAT = "delta" (`pip install deltalake`) tables do merge: no event twice, one row for
each stream. Tables with a history cannot be Delta tables, so `sources` and `webhooks` are left out.
"""

from __future__ import annotations

import sys
from typing import Literal

import dlt

from pipedream_source import load_pending, pipedream_source

BUCKET = "lake"  # or s3://bucket/folder, gs://…, az://…
TABLE_FORMAT: Literal["delta"] | None = None


def main() -> None:
    """Load once, then say what was written."""
    lake = dlt.destinations.filesystem(bucket_url=BUCKET)
    pipeline = dlt.pipeline("pipedream_lake", destination=lake, dataset_name="pipedream")
    # What an interrupted run left comes first, repaired: `run` alone would load it and not poll.
    load_pending(pipeline)
    source = pipedream_source()
    if TABLE_FORMAT:
        source = source.with_resources(*(source.resources.keys() - {"sources", "webhooks"}))
    pipeline.run(source, loader_file_format="parquet", table_format=TABLE_FORMAT)
    counts = pipeline.last_trace.last_normalize_info.row_counts
    for table, count in sorted(counts.items()):
        sys.stdout.write(f"{count:10,}  {table}\n")


if __name__ == "__main__":
    main()
