"""Load everything into Postgres.

Needs PIPEDREAM_API_KEY, `pip install 'dlt[postgres]'`, and the server's address, as
DESTINATION__POSTGRES__CREDENTIALS=postgresql://user:password@host:5432/database or under
[destination.postgres.credentials] in .dlt/secrets.toml. The schema is made by the first load.

The cursors are kept in the server too: from a new machine, or a container that keeps no files, the
next load goes on where the last one ended. Two machines may load at once: `exclusive_load` lets
them take turns. `pipedream-source load --destination postgres` does the same; `status`, `gaps` and
`prove` read it with the same flag.
"""

from __future__ import annotations

import sys

import dlt

from pipedream_source import exclusive_load, load_pending, pipedream_source

SCHEMA = "pipedream"


def main() -> None:
    """Load once, then say how much is there."""
    pipeline = dlt.pipeline("pipedream_events", destination="postgres", dataset_name=SCHEMA)
    with exclusive_load(pipeline):
        # What an interrupted run left comes first: `run` alone would load it and not poll.
        load_pending(pipeline)
        pipeline.run(pipedream_source())
    tables = ("source_event_summaries", "workflow_emits", "workflow_errors", "event_gaps")
    for table, count in pipeline.dataset().row_counts(table_names=list(tables)).fetchall():
        sys.stdout.write(f"{count:10,}  {table}\n")


if __name__ == "__main__":
    main()
