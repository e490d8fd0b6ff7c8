"""`pipedream-source users` and `workspaces`: who the key belongs to, and what is used up."""

from __future__ import annotations

from typing import Annotated

import typer

from pipedream_source.cli.command.groups import Group
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.manage.call_flags import Asking
from pipedream_source.exceptions import ConfigurationError

users = Group("users", "The user that the key belongs to.")
workspaces = Group("workspaces", "Workspaces, and the credits that they used.")


@users.verb("me", "", "--columns id,username,email", "--json")
def me(*, asked: Asking) -> None:
    """Show the user that the key belongs to, with workspaces and quotas."""
    with asked.client() as client:
        asked.write(client.me(**asked.fields))


@workspaces.verb("show", "o_abc123", "o_abc123 --columns daily_credits_used,daily_credits_quota")
def show(
    workspace_id: Annotated[str | None, typer.Argument(metavar="[WORKSPACE_ID]")] = None,
    org_id: given.OrgId = None,
    *,
    asked: Asking,
) -> None:
    """Show a workspace and its credits of this billing period."""
    with asked.client(workspace_id or org_id) as client:
        if client.org_id is None:
            raise ConfigurationError(
                "Which workspace? Name it, e.g. `pipedream-source workspaces show o_abc123`; "
                "`pipedream-source users me` lists yours"
            )
        asked.write(client.workspace(client.org_id, **asked.fields))
