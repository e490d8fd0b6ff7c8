"""The flags that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipedream_source.cli.guard import set_verbosity
from pipedream_source.settings import DATABASE

_WHAT = "What to poll"
_WHERE = "Where it goes"
_HOW = "How to ask"
_SAY = "What is said"

SourceIds = Annotated[
    list[str] | None,
    typer.Option("--source-id", help="Poll only this source; repeatable.", rich_help_panel=_WHAT),
]
WorkflowIds = Annotated[
    list[str] | None,
    typer.Option(
        "--workflow-id",
        help="Poll this workflow besides those found; repeatable. Workflows cannot be listed.",
        rich_help_panel=_WHAT,
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        help="Poll this event name instead of the default ones; repeatable. '' is the default.",
        rich_help_panel=_WHAT,
    ),
]
NoDiscover = Annotated[
    bool,
    typer.Option("--no-discover", help="Poll only what is named.", rich_help_panel=_WHAT),
]
OrgId = Annotated[
    str | None,
    typer.Option(
        envvar="PIPEDREAM_ORG_ID",
        metavar="o_…",
        help="Only this workspace.",
        rich_help_panel=_WHAT,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(envvar="PIPEDREAM_BASE_URL", metavar="URL", help="The API.", rich_help_panel=_HOW),
]
RetryBudget = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="How long a run may wait because the API said so.",
        rich_help_panel=_HOW,
    ),
]
RequestTimeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", min=0.1, help="Time for one whole request.", rich_help_panel=_HOW
    ),
]
MaxWorkers = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Threads that poll.", rich_help_panel=_HOW),
]
CaBundle = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Certificates to trust instead of the usual.", rich_help_panel=_HOW
    ),
]
Destination = Annotated[
    str,
    typer.Option(metavar="NAME", help="Any destination of dlt.", rich_help_panel=_WHERE),
]
Database = Annotated[
    Path,
    typer.Option(
        envvar="PIPEDREAM_DATABASE",
        metavar="FILE",
        help="The DuckDB file.",
        rich_help_panel=_WHERE,
    ),
]
Dataset = Annotated[
    str,
    typer.Option(metavar="NAME", help="The dataset (schema) in it.", rich_help_panel=_WHERE),
]
PipelinesDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="dlt's working folders; beside the database by default.",
        rich_help_panel=_WHERE,
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=_SAY),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Say only what went wrong.", rich_help_panel=_SAY),
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
        rich_help_panel=_SAY,
    ),
]

DEFAULT_DATABASE = Path(DATABASE)
