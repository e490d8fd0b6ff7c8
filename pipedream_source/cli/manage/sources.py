"""`pipedream-source sources`: list, make, change and delete event sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from pipedream_source.cli.command.groups import Group
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.input_files import STDIN, read_object, read_text
from pipedream_source.cli.manage.call_flags import Asking, Changing, Deleting, Listing, vouched_for
from pipedream_source.cli.manage.forget import DryRun, forget_emitter
from pipedream_source.cli.output.objects import Object
from pipedream_source.core.text.redaction import MARK
from pipedream_source.exceptions import ConfigurationError, Unavailable

sources = Group("sources", "Event sources.")
COLUMNS = ("id", "name", "active", "component_id", "updated_at")
_CODE = ("component_id", "component_code", "component_url")

SourceId = Annotated[str, typer.Argument(metavar="SOURCE_ID", help="Such as dc_abc123.")]
ComponentId = Annotated[
    str | None, typer.Option(metavar="ID", help="A component of yours, such as sc_abc123.")
]
Code = Annotated[
    str | None, typer.Option("--code", metavar="FILE", help="A component's code; - is stdin.")
]
Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Where a component's code is.")
]
Name = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is called.")]
Props = Annotated[
    str | None,
    typer.Option(
        "--props",
        metavar="FILE",
        help="What it is configured with (configured_props), as JSON or TOML; - is stdin. No "
        "flag takes the values: secrets would stay in the shell's history.",
    ),
]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Whether it runs.", show_default=False)
]


@sources.verb("list", "", "--org-id o_abc123", "--columns id,name,active", "--max 10 --jsonl")
def list_sources(org_id: given.OrgId = None, *, asked: Listing) -> None:
    """List your sources, or those of a workspace."""
    with asked.client(org_id) as client:
        found = client.sources(client.org_id, **asked.pages)
        own = found if client.org_id else vouched_for(client, found)
        asked.write_list(own, COLUMNS, "sources")


@sources.verb("show", "dc_abc123", "dc_abc123 --json")
def show(source_id: SourceId, *, asked: Asking) -> None:
    """Show one source. The API's documentation leaves this call out."""
    with asked.client() as client:
        asked.write(client.source(source_id, **asked.fields))


@sources.verb(
    "create",
    "--component-id sc_abc123 --name feed --props feed.json",
    "--code my-source.mjs --props - < props.toml",
    "--url https://example.com/new-item.mjs --dry-run",
)
def create(
    component_id: ComponentId = None,
    code: Code = None,
    url: Url = None,
    name: Name = None,
    props: Props = None,
    org_id: given.OrgId = None,
    *,
    asked: Changing,
) -> None:
    """Make a source of a component: one of yours, its code, or the address of its code."""
    settings = _settings(component_id, code, url, name, props)
    asked.change_and_write("create_source", org_id=org_id, **settings)


@sources.verb(
    "update", "dc_abc123 --name feed", "dc_abc123 --props props.json", "dc_abc123 --code new.mjs"
)
def update(
    source_id: SourceId,
    component_id: ComponentId = None,
    code: Code = None,
    url: Url = None,
    name: Name = None,
    props: Props = None,
    active: Active = None,
    *,
    asked: Changing,
) -> None:
    """Change what is given of a source, and leave the rest as it is.

    The API demands the component with each change, and documents that it renames a source and
    switches it on where a change does not say otherwise. So the source is read first, and its
    component, its name and whether it runs are sent along. --dry-run reads it too, which takes a
    key; without one it shows the bare request.
    """
    settings = _settings(component_id, code, url, name, props)
    _update(asked, source_id, active=active, **settings)


@sources.verb("enable", "dc_abc123", "dc_abc123 --dry-run")
def enable(source_id: SourceId, *, asked: Changing) -> None:
    """Switch a source on. It is read first, by --dry-run too: see `update`."""
    _update(asked, source_id, active=True)


@sources.verb("disable", "dc_abc123", "dc_abc123 --dry-run")
def disable(source_id: SourceId, *, asked: Changing) -> None:
    """Switch a source off: it emits nothing more, and keeps its events.

    It is read first, by --dry-run too: see `update`.
    """
    _update(asked, source_id, active=False)


@sources.verb("delete", "dc_abc123", "dc_abc123 --yes --wait", "dc_abc123 --dry-run")
def delete(source_id: SourceId, *, asked: Deleting) -> None:
    """Delete a source, with the events that the API still holds of it."""
    asked.delete(
        "delete_source",
        "source",
        lambda client: client.source(source_id),
        source_id=source_id,
    )


def _update(asked: Changing, source_id: str, **given: Any) -> None:
    """Send a change with what the source has now besides."""
    asked.change_and_write(
        "update_source",
        lambda client: _besides(client.source(source_id), given),
        source_id=source_id,
        **given,
    )


def _besides(source: Object, given: dict[str, Any]) -> dict[str, Any]:
    """Return what of a source goes along with a change.

    Raises:
        ConfigurationError: its name holds a credential, which is never shown and so not sent.
    """
    left_out = [name for name in ("name", "active") if given.get(name) is None]
    kept = {name: source[name] for name in left_out if source.get(name) not in (None, "")}
    if MARK in str(kept.get("name")):
        raise ConfigurationError("name: the source's own holds a credential: give it with --name")
    if not any(given.get(n) for n in _CODE) and source.get("component_id"):
        kept["component_id"] = source["component_id"]
    return kept


def find_in(objects: Iterable[Object], what: str, **fields: str) -> Object:
    """Return the one object of a list that has these fields.

    Raises:
        Unavailable: there is none.
    """
    for item in objects:
        if all((item.get(name) or "") == value for name, value in fields.items()):
            return item
    told = " ".join(f"{name}={value}" for name, value in fields.items())
    raise Unavailable(f"No {what} of yours has {told}", status=404)


def _settings(
    component_id: str | None,
    code: str | None,
    url: str | None,
    name: str | None,
    props: str | None,
) -> dict[str, Any]:
    if code == props == STDIN:
        raise typer.BadParameter("standard input can be --code or --props, not both")
    return {
        "component_id": component_id,
        "component_code": read_text(code, "--code") if code else None,
        "component_url": url,
        "name": name,
        "configured_props": read_object(props, "--props") if props else None,
    }


@sources.verb("forget", "dc_abc123", "dc_abc123 --dry-run", "dc_abc123 --yes --json")
def forget(
    source_id: SourceId,
    dry_run: DryRun = False,
    yes: given.Yes = False,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Stop asking a source that is gone, and end its certificate there; what is loaded stays.

    Nothing is sent to the API. If a list or a subscription names the source, it is polled again.
    """
    forget_emitter(source_id, "source", place, dry_run=dry_run, yes=yes, as_json=as_json)
