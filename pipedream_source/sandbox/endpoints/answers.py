"""What the endpoints share: reading parameters, and answering with objects and lists."""

from __future__ import annotations

from typing import Any

from pipedream_source.sandbox.protocol.errors import Forbidden, InvalidParameter, RecordNotFound
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.paging import page_of_list
from pipedream_source.sandbox.world.site import Site

Record = dict[str, Any]


def listed(rows: list[Record], site: Site, call: Call) -> Reply:
    """Answer with a page of a list (Pagination)."""
    page = page_of_list(rows, call.params, site.switches, place_of=site.workspace.created.place)
    return Reply.json({"page_info": page.info, "data": [picked(row, call) for row in page.rows]})


def one(record: Record, call: Call, status: int = 200) -> Reply:
    """Answer with one object under `data`."""
    return Reply.json({"data": picked(record, call)}, status)


def picked(record: Record, call: Call) -> Record:
    """Obey `include` and `exclude` (Common Parameters)."""
    include, exclude = fields(call)
    return {
        name: value
        for name, value in record.items()
        if (include is None or name in include) and name not in exclude
    }


def fields(call: Call) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Return the names under `include`, None for all, and those under `exclude`."""
    include, exclude = (
        frozenset(filter(None, map(str.strip, call.params.get(name, "").split(","))))
        for name in ("include", "exclude")
    )
    return include or None, exclude


def text_of(call: Call, name: str) -> str | None:
    """Return a parameter that is text; null and absent are None."""
    value = call.given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidParameter(f"{name} must be a string")
    return value


def required(call: Call, name: str) -> str:
    """Return a parameter that must be there."""
    value = text_of(call, name)
    if not value:
        raise InvalidParameter(f"{name} is required")
    return value


def named_org(site: Site, call: Call) -> str | None:
    """Return the workspace that `org_id` or `workspace_id` names, or that a token is bound to."""
    named = text_of(call, "org_id") or text_of(call, "workspace_id") or call.org_id
    return org_seen(site, call, named) if named else None


def org_seen(site: Site, call: Call, org_id: str) -> str:
    """Return a workspace's id if the key may see it."""
    if call.org_id not in (None, org_id):
        raise RecordNotFound
    found: str = site.workspace.org(org_id)["id"]
    return found


def owner_of(site: Site, call: Call) -> str:
    """Return who owns what a call creates or lists: the workspace that it names, or the user."""
    user_id: str = site.workspace.user["id"]
    return named_org(site, call) or user_id


def refuse_tokens(call: Call) -> None:
    """Refuse an OAuth token where only a user's key is taken."""
    if call.org_id is not None:
        raise Forbidden


def created(site: Site) -> int:
    """Return the status of an answer that creates something."""
    return int(site.switches.created_status)
