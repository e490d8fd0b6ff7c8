"""`pipedream-source workflows`: which are known, what they emitted and what failed in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Annotated

import typer

from pipedream_source.cli.command.errors import show_warnings, verbosity
from pipedream_source.cli.command.groups import Group
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.manage.call_flags import Asking, Listing, Writing
from pipedream_source.cli.manage.forget import DryRun, forget_emitter
from pipedream_source.cli.output.console import err, shown
from pipedream_source.cli.output.objects import Object
from pipedream_source.cli.read.database import open_database
from pipedream_source.running.exit_codes import SOME_FAILED
from pipedream_source.settings import DATASET, ERRORS_CHANNEL

workflows = Group("workflows", "Workflows: the API cannot list them; those that something names.")
COLUMNS = ("id", "name", "discovered_by")
EMIT_COLUMNS = ("id", "indexed_at_ms", "metadata.name", "event")
ERROR_COLUMNS = (
    "id",
    "indexed_at_ms",
    "event.error.code",
    "event.error.msg",
    "event.original_context.workflow_name",
)

WorkflowId = Annotated[str, typer.Argument(metavar="WORKFLOW_ID", help="Such as p_abc123.")]


@workflows.verb("list", "", "--afresh", "--database events.duckdb --columns id,name")
def list_workflows(
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Ask the API, even where there is a database.")
    ] = False,
    database: given.Database = given.DEFAULT_DATABASE,
    dataset: given.Dataset = DATASET,
    org_id: Annotated[
        str | None,
        typer.Option(
            "--org-id",
            "--workspace-id",
            metavar="o_…",
            help="Ask the API for this workspace's, even where there is a database.",
        ),
    ] = None,
    maximum: given.Max = None,
    *,
    asked: Writing,
) -> None:
    """List the workflows that subscriptions, errors or the configuration name.

    They come from the database, or from the API where there is none: no call lists workflows, so
    their subscriptions and errors are read. One that nothing names is not found.
    """
    if afresh or org_id or not database.exists():
        failed: dict[str, str] = {}
        # The environment's workspace is the one that was loaded, so it asks for nothing new.
        named = org_id or os.environ.get("PIPEDREAM_ORG_ID") or None
        found = islice(_discovered(asked, named, failed), maximum)
        asked.write_list(found, COLUMNS, "workflows")
        for name, why in failed.items():
            err().print(f"[red]failed[/]  {shown(name)}: {shown(why, 500)}")
        raise typer.Exit(SOME_FAILED if failed else 0)
    with open_database(database, dataset) as reader:
        rows = [_stored(row) for row in reader.table("workflows")]
    rows.sort(key=lambda row: str(row["id"]))
    asked.write_list(rows[:maximum], COLUMNS, "workflows")


def _stored(row: Object) -> Object:
    kept = {name: value for name, value in row.items() if not name.startswith("_dlt")}
    with suppress(ValueError, TypeError):
        kept["discovered_by"] = json.loads(kept.get("discovered_by", ""))
    return kept


def _discovered(asked: Writing, org_id: str | None, failed: dict[str, str]) -> Iterator[Object]:
    """Yield what `check` finds of workflows; it reads their errors, which name others."""
    from pipedream_source.cli.flags.config import session_from
    from pipedream_source.running.survey import survey

    show_warnings(wanted=verbosity() > 0)
    only_errors = {"source_ids": (), "channels": (ERRORS_CHANNEL,)}
    session = session_from({**asked.settings(org_id), **only_errors})
    with session.client:
        found = survey(session, every_s=1)
    failed.update(found.inventory.failed_lists)
    for key, how in sorted(found.inventory.found_by.items()):
        yield {"id": key, "name": found.names.get(key), "discovered_by": sorted(how)}


@workflows.verb("show", "p_abc123 --org-id o_abc123")
def show(workflow_id: WorkflowId, org_id: given.OrgId = None, *, asked: Asking) -> None:
    """Show a workflow's triggers and steps. The API's documentation leaves this call out."""
    with asked.client(org_id) as client:
        asked.write(client.workflow(workflow_id, org_id=client.org_id, **asked.fields))


@workflows.verb("emits", "p_abc123", "p_abc123 --event-name orders --max 1 --json")
def emits(
    workflow_id: WorkflowId,
    event_name: given.EventName = "",
    no_expand: given.NoExpand = False,
    *,
    asked: Listing,
) -> None:
    """List what a workflow emitted, newest first."""
    with asked.client() as client:
        found = client.workflow_emits(
            workflow_id, event_name=event_name, expand=not no_expand, **asked.pages
        )
        asked.write_list(found, EMIT_COLUMNS, "events")


@workflows.verb("errors", "p_abc123", "p_abc123 --columns id,event.error.code,event.error.msg")
def errors(workflow_id: WorkflowId, no_expand: given.NoExpand = False, *, asked: Listing) -> None:
    """List a workflow's errors with the events that caused them, newest first."""
    with asked.client() as client:
        found = client.workflow_errors(workflow_id, expand=not no_expand, **asked.pages)
        asked.write_list(found, ERROR_COLUMNS, "errors")


@workflows.verb("forget", "p_abc123", "p_abc123 --dry-run", "p_abc123 --yes --json")
def forget(
    workflow_id: WorkflowId,
    dry_run: DryRun = False,
    yes: given.Yes = False,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Stop asking a workflow that is gone, and end its certificate there; what is loaded stays.

    Nothing is sent to the API. If a subscription, a new error or the configuration names the
    workflow, it is polled again.
    """
    forget_emitter(workflow_id, "workflow", place, dry_run=dry_run, yes=yes, as_json=as_json)
