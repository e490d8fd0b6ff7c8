"""`pipedream-source webhooks`: addresses of yours that events are sent to."""

from __future__ import annotations

from typing import Annotated

import typer

from pipedream_source.cli.command.groups import Group
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.manage.call_flags import Changing, Deleting, Listing, vouched_for
from pipedream_source.cli.manage.sources import Name, find_in

webhooks = Group("webhooks", "Webhooks: addresses that events are sent to.")
COLUMNS = ("id", "name", "url", "active", "created_at")


@webhooks.verb("list", "", "--columns id,url --jsonl")
def list_webhooks(*, asked: Listing) -> None:
    """List your webhooks."""
    with asked.client() as client:
        found = vouched_for(client, client.webhooks(**asked.pages))
        asked.write_list(found, COLUMNS, "webhooks")


@webhooks.verb(
    "create", "https://example.com/events --name alerts", "https://example.com/events --dry-run"
)
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send; http or https.")],
    name: Name = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    org_id: given.OrgId = None,
    *,
    asked: Changing,
) -> None:
    """Make a webhook; subscribe it to an emitter afterwards."""
    asked.change_and_write(
        "create_webhook", url=url, name=name, description=description, org_id=org_id
    )


@webhooks.verb("delete", "wh_abc123", "wh_abc123 --yes")
def delete(
    webhook_id: Annotated[str, typer.Argument(metavar="WEBHOOK_ID", help="Such as wh_abc123.")],
    *,
    asked: Deleting,
) -> None:
    """Delete a webhook."""
    asked.delete(
        "delete_webhook",
        "webhook",
        lambda client: find_in(client.webhooks(), "webhook", id=webhook_id),
        webhook_id=webhook_id,
    )
