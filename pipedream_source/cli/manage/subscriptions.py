"""`pipedream-source subscriptions`: who listens to whom, which Pipedream's pages do not show."""

from __future__ import annotations

from typing import Annotated

import typer

from pipedream_source.cli.command.groups import Group
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.manage.call_flags import Changing, Deleting, Listing, vouched_for
from pipedream_source.cli.manage.sources import find_in

subscriptions = Group("subscriptions", "Subscriptions: which listener gets whose events.")
COLUMNS = ("id", "emitter_id", "event_name", "listener_id")

Emitter = Annotated[
    str,
    typer.Option(
        "--emitter", metavar="ID", help="Who emits: a source, a workflow, or p_* or dc_* for all."
    ),
]
Listener = Annotated[
    str,
    typer.Option("--listener", metavar="ID", help="Who gets it: a workflow, source or webhook."),
]


@subscriptions.verb("list", "", "--org-id o_abc123 --jsonl")
def list_subscriptions(org_id: given.OrgId = None, *, asked: Listing) -> None:
    """List your subscriptions, or those of a workspace."""
    with asked.client(org_id) as client:
        found = client.subscriptions(client.org_id, **asked.pages)
        own = found if client.org_id else vouched_for(client, found)
        asked.write_list(own, COLUMNS, "subscriptions")


@subscriptions.verb(
    "create",
    "--emitter dc_abc123 --listener p_abc123",
    "--emitter 'p_*' --listener wh_abc123 --event-name '$errors'",
)
def create(
    emitter: Emitter,
    listener: Listener,
    event_name: given.EventName = "",
    org_id: given.OrgId = None,
    *,
    asked: Changing,
) -> None:
    """Let a listener get the events of an emitter."""
    asked.change_and_write(
        "create_subscription",
        emitter_id=emitter,
        listener_id=listener,
        event_name=event_name,
        org_id=org_id,
    )


@subscriptions.verb("auto", "--listener p_abc123 --event-name '$errors'")
def auto(
    listener: Listener,
    event_name: Annotated[
        str, typer.Option(metavar="NAME", help="Which channel, such as $errors or $logs.")
    ],
    org_id: given.OrgId = None,
    *,
    asked: Changing,
) -> None:
    """Let a listener get a channel of every workflow and source that is made from now on."""
    asked.change_and_write(
        "auto_subscribe", listener_id=listener, event_name=event_name, org_id=org_id
    )


@subscriptions.verb("delete", "--emitter dc_abc123 --listener p_abc123 --yes")
def delete(
    emitter: Emitter,
    listener: Listener,
    event_name: given.EventName = "",
    org_id: given.OrgId = None,
    *,
    asked: Deleting,
) -> None:
    """End a subscription."""
    ends = {"emitter_id": emitter, "listener_id": listener, "event_name": event_name}
    asked.delete(
        "delete_subscription",
        "subscription",
        lambda client: find_in(client.subscriptions(client.org_id), "subscription", **ends),
        org_id=org_id,
        **ends,
    )
