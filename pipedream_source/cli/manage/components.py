"""`pipedream-source components`: the code of sources, yours and the registry's."""

from __future__ import annotations

from typing import Annotated

import typer

from pipedream_source.cli.command.groups import Group
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.input_files import read_text
from pipedream_source.cli.manage.call_flags import Asking, Changing
from pipedream_source.cli.manage.sources import Code, Url

components = Group("components", "Components: the code that sources are made of.")


@components.verb("create", "--code my-source.mjs", "--url https://example.com/new-item.mjs")
def create(
    code: Code = None, url: Url = None, org_id: given.OrgId = None, *, asked: Changing
) -> None:
    """Save a component; with both flags the code counts, and the address only tells its origin."""
    text = read_text(code, "--code") if code else None
    asked.change_and_write(
        "create_component", component_code=text, component_url=url, org_id=org_id
    )


@components.verb("get", "sc_abc123", "my-component --columns name,version")
def get(
    key_or_id: Annotated[
        str, typer.Argument(metavar="KEY|ID", help="The key in its code, or its id.")
    ],
    *,
    asked: Asking,
) -> None:
    """Show a component of yours."""
    with asked.client() as client:
        asked.write(client.component(key_or_id, **asked.fields))


@components.verb("registry", "github-new-repository --json")
def registry(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key in its code.")],
    *,
    asked: Asking,
) -> None:
    """Show a component of the global registry."""
    with asked.client() as client:
        asked.write(client.registry_component(key, **asked.fields))
