"""The flags that several verbs share, and the bundles of them that travel together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipedream_source.cli.command.errors import set_verbosity
from pipedream_source.settings import (
    DATABASE,
    DATASET,
    MAX_WORKERS,
    PAGE_LIMIT,
    REQUEST_TIMEOUT_S,
    RETRY_BUDGET_S,
)

if TYPE_CHECKING:
    from pipedream_source.running.destination.target import Target

WHAT = "What to poll"
WHERE = "Where it goes"
HOW = "How to ask"
SAY = "What is said"
SAFETY = "Safety"

SourceIds = Annotated[
    list[str] | None,
    typer.Option("--source-id", help="Poll only this source; repeatable.", rich_help_panel=WHAT),
]
WorkflowIds = Annotated[
    list[str] | None,
    typer.Option(
        "--workflow-id",
        help="Poll this workflow besides those found; repeatable. Workflows cannot be listed.",
        rich_help_panel=WHAT,
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        help="Poll this event name instead of the default ones; repeatable. '' is the default.",
        rich_help_panel=WHAT,
    ),
]
NoDiscover = Annotated[
    bool,
    typer.Option("--no-discover", help="Poll only what is named.", rich_help_panel=WHAT),
]
OrgId = Annotated[
    str | None,
    typer.Option(
        "--org-id",
        "--workspace-id",
        envvar="PIPEDREAM_ORG_ID",
        metavar="o_…",
        help="The workspace: only its objects, or where a new one goes.",
    ),
]
OneChannel = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Only this channel, '' for the default one.",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(envvar="PIPEDREAM_BASE_URL", metavar="URL", help="The API.", rich_help_panel=HOW),
]
RetryBudget = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help=f"How long a run may wait because the API said so; {RETRY_BUDGET_S:g} by default.",
        rich_help_panel=HOW,
    ),
]
RequestTimeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0.1,
        help=f"Time for one whole request; {REQUEST_TIMEOUT_S:g} by default.",
        rich_help_panel=HOW,
    ),
]
MaxWorkers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help=f"Threads that poll; {MAX_WORKERS} by default.",
        rich_help_panel=HOW,
    ),
]
CaBundle = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Certificates to trust instead of the usual.", rich_help_panel=HOW
    ),
]
Include = Annotated[
    str | None,
    typer.Option(
        metavar="FIELDS", help="Ask for these fields only, such as id,name.", rich_help_panel=HOW
    ),
]
Exclude = Annotated[
    str | None,
    typer.Option(metavar="FIELDS", help="Ask for all but these fields.", rich_help_panel=HOW),
]
Limit = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, max=PAGE_LIMIT, help="Objects in one request.", rich_help_panel=HOW
    ),
]
Max = Annotated[
    int | None,
    typer.Option("--max", metavar="N", min=1, help="Objects in all; every page by default."),
]
EventName = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="The channel; empty for the default one.", show_default=False
    ),
]
NoExpand = Annotated[
    bool,
    typer.Option("--no-expand", help="Let the API cut events over 1 KB.", rich_help_panel=HOW),
]
Destination = Annotated[
    str,
    typer.Option(metavar="NAME", help="Any destination of dlt.", rich_help_panel=WHERE),
]
Database = Annotated[
    Path,
    typer.Option(
        envvar="PIPEDREAM_DATABASE",
        metavar="FILE",
        help="The DuckDB file.",
        rich_help_panel=WHERE,
    ),
]
Dataset = Annotated[
    str,
    typer.Option(metavar="NAME", help="The dataset (schema) in it.", rich_help_panel=WHERE),
]
PipelinesDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="dlt's working folders; beside the database by default.",
        rich_help_panel=WHERE,
    ),
]
LockWait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="How long to wait for a locked destination.",
        rich_help_panel=WHERE,
    ),
]
StorageVersion = Annotated[
    str,
    typer.Option(
        envvar="PIPEDREAM_STORAGE_VERSION",
        metavar="VERSION",
        help="The oldest DuckDB that is to open a new file; one that exists keeps its version.",
        rich_help_panel=WHERE,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print the request instead of sending it.", rich_help_panel=SAFETY
    ),
]
Yes = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Do not ask for the name first.", rich_help_panel=SAFETY),
]
Wait = Annotated[
    bool,
    typer.Option("--wait", help="Return only when it is gone.", rich_help_panel=SAFETY),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=SAY),
]
JsonLines = Annotated[
    bool,
    typer.Option("--jsonl", help="One JSON object per line.", rich_help_panel=SAY),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="FIELDS",
        help="Show these fields, such as id,name; inner ones as event.error.code, names with dots "
        """in quotes: event."a.b".""",
        rich_help_panel=SAY,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Say only what went wrong.", rich_help_panel=SAY),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        callback=set_verbosity,
        is_eager=True,
        show_default=False,
        help="Show dlt's log (-vv: all of it), and where an error arose.",
        rich_help_panel=SAY,
    ),
]

DEFAULT_DATABASE = Path(DATABASE)


@dataclass(frozen=True, slots=True)
class Polling:
    """What to poll and how to ask: the flags of `check` and `load`."""

    source_id: SourceIds = None
    workflow_id: WorkflowIds = None
    channel: Channels = None
    no_discover: NoDiscover = False
    org_id: OrgId = None
    base_url: BaseUrl = None
    retry_budget: RetryBudget = None
    request_timeout: RequestTimeout = None
    max_workers: MaxWorkers = None
    ca_bundle: CaBundle = None

    def arguments(self) -> dict[str, Any]:
        """Return them by the names of `pipedream_source(...)`; None where no flag was given."""
        return {
            "source_ids": self.source_id or None,
            "workflow_ids": self.workflow_id or None,
            "channels": self.channel or None,
            "discover": False if self.no_discover else None,
            "org_id": self.org_id,
            "base_url": self.base_url,
            "retry_budget_s": self.retry_budget,
            "request_timeout_s": self.request_timeout,
            "max_workers": self.max_workers,
            "ca_bundle": self.ca_bundle,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where loaded rows are: the flags of `load`, `status` and `gaps`."""

    destination: Destination = "duckdb"
    database: Database = DEFAULT_DATABASE
    dataset: Dataset = DATASET
    pipelines_dir: PipelinesDir = None

    def target(self) -> Target:
        """Return the place as an object that can be read and written."""
        from pipedream_source.running.destination.target import Target

        return Target(self.destination, self.database, self.dataset, self.pipelines_dir)
