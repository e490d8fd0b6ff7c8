"""Load several workspaces into one database: a pipeline and a dataset for each.

A dataset belongs to one pipeline. In a common one each load would close the rows of `sources` that
the other workspaces have, replace their `subscriptions`, and count only its own streams as polled.

The user's own sources, which belong to no workspace, are in each dataset of that user's key.

Each key stands in a variable of its own, such as PIPEDREAM_API_KEY_ACME; else PIPEDREAM_API_KEY is
taken, as one user's key reads all workspaces of that user. The command does the same, and says by
its exit code that a workspace could not be read (here that is a warning in the log):
`pipedream-source load --org-id o_abc123 --dataset pipedream_acme --database …`.
"""

from __future__ import annotations

import os
import sys

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from pipedream_source import PipedreamError, duckdb_file, load_pending, pipedream_source

DATABASE = "pipedream_workspaces.duckdb"
WORKSPACES = {"acme": "o_abc123", "lab": "o_def456"}  # a name of yours: the workspace's id


def load(name: str, org_id: str) -> int:
    """Load a workspace once and return how many events it has now."""
    pipeline = dlt.pipeline(
        f"pipedream_{name}",
        destination=duckdb_file(DATABASE),
        dataset_name=f"pipedream_{name}",
    )
    # What an interrupted run left comes first, repaired: `run` alone would load it and not poll.
    load_pending(pipeline)
    key = os.environ.get(f"PIPEDREAM_API_KEY_{name.upper()}")
    pipeline.run(pipedream_source(key, org_id=org_id))
    return len(pipeline.dataset().source_event_summaries.select("id").fetchall())


def main() -> int:
    """Load one after the other; returns 1 if one failed, which keeps no other from being loaded."""
    failed = 0
    for name, org_id in WORKSPACES.items():
        try:
            sys.stdout.write(f"{load(name, org_id):10,}  {name}\n")
        except (PipedreamError, PipelineStepFailed) as error:
            failed += 1
            sys.stderr.write(f"{name}: {error}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
