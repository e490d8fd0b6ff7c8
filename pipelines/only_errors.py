"""Load the errors of workflows alone, often, and print those that are new.

Needs PIPEDREAM_API_KEY. It reads one window for each workflow, so it can run every minute. It has a
database and a pipeline of its own, so that it never waits for the load of everything. Workflows
that no subscription and no error names must be listed in WORKFLOWS: the API cannot list them.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

import dlt

from pipedream_source import duckdb_file, load_pending, pipedream_source

DATABASE = "pipedream_errors.duckdb"
WORKFLOWS: list[str] = []  # such as ["p_abc123"]


def main() -> int:
    """Load once and print the new errors; returns 1 if there are any, for whoever is to be told."""
    pipeline = dlt.pipeline(
        "pipedream_errors",
        destination=duckdb_file(DATABASE),
        dataset_name="pipedream",
    )
    # What an interrupted run left comes first, repaired: `run` alone would load it and not poll.
    load_pending(pipeline)
    source = pipedream_source(workflow_ids=WORKFLOWS or None).with_resources("workflow_errors")
    loads = pipeline.run(source).loads_ids
    errors = pipeline.dataset().workflow_errors.where("_dlt_load_id", "in", loads)
    counts: Counter[tuple[str, str, str]] = Counter()
    for workflow_id, text in errors.select("emitter_id", "event").fetchall():
        event = json.loads(text or "{}")
        error = (event.get("error") if isinstance(event, dict) else None) or {}
        counts[workflow_id, str(error.get("code")), str(error.get("msg"))[:80]] += 1
    for (workflow_id, code, message), count in counts.most_common():
        sys.stdout.write(f"{count:5,}  {workflow_id}  {code}  {message}\n")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
