"""Sources: list, get, create, update, delete."""

from __future__ import annotations

from typing import Any, NoReturn

from pipedream_source.sandbox.content.component_code import Component
from pipedream_source.sandbox.endpoints.answers import (
    Record,
    listed,
    one,
    org_seen,
    owner_of,
    refuse_tokens,
    text_of,
)
from pipedream_source.sandbox.endpoints.components import runnable_component, saved_component
from pipedream_source.sandbox.endpoints.events import source_seen
from pipedream_source.sandbox.protocol.errors import InvalidParameter
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.site import Site
from pipedream_source.sandbox.world.source_lifecycle import (
    NewSource,
    change,
    component_run_by,
    create,
    default_name,
)


def user_sources(site: Site, call: Call) -> Reply:
    """List Current User Sources."""
    return _sources(owner_of(site, call), site, call)


def workspace_sources(site: Site, call: Call) -> Reply:
    """Get Workspaces's Sources."""
    return _sources(org_seen(site, call, call.ids["org_id"]), site, call)


def _sources(owner_id: str, site: Site, call: Call) -> Reply:
    reply = listed(site.workspace.sources_of(owner_id), site, call)
    site.workspace.show_leaving(lambda source: owner_id in source.listed_in)
    return reply


def get_source(site: Site, call: Call) -> Reply:
    """Get a source."""
    source = source_seen(site, call)
    reply = one(_whole(site, source), call)
    site.workspace.show_leaving(lambda other: other is source)
    return reply


def create_source(site: Site, call: Call) -> Reply:
    """Create a Source."""
    refuse_tokens(call)
    owner_id = owner_of(site, call)
    name, props = text_of(call, "name"), _props(call)
    component = _component(site, call, owner_id) or _no_component()
    plan = NewSource(component, owner_id, name, props)
    return one(_whole(site, create(site.workspace, plan, site.clock.now_ms())), call)


def update_source(site: Site, call: Call) -> Reply:
    """Update a source."""
    source = source_seen(site, call)
    name, active, props = text_of(call, "name"), _active(site, call), _props(call)
    component = _component(site, call, source.owner_id)
    if component is None and site.switches.update_without_component == "refused":
        _no_component()
    if not name and site.switches.update_name == "documented":
        name = default_name((component or component_run_by(site.workspace, source)).text)
    change(
        site.workspace,
        source,
        component=component,
        name=name,
        active=active,
        props=props,
        now_ms=site.clock.now_ms(),
    )
    return one(_whole(site, source), call)


def delete_source(site: Site, call: Call) -> Reply:
    """Delete a source."""
    site.workspace.remove_source(source_seen(site, call), site.switches.source_deletion)
    return Reply.empty(204)


def _component(site: Site, call: Call, owner_id: str) -> Component | None:
    """Return the component that a call names: by id, else by code, else by address."""
    component_id = text_of(call, "component_id")
    if component_id:
        return runnable_component(site, component_id)
    if text_of(call, "component_code") or text_of(call, "component_url"):
        return saved_component(site, call, owner_id)
    return None


def _no_component() -> NoReturn:
    raise InvalidParameter("one of component_id, component_code, or component_url is required")


def _props(call: Call) -> dict[str, Any] | None:
    props = call.given.get("configured_props")
    if props is not None and not isinstance(props, dict):
        raise InvalidParameter("configured_props must be an object")
    return props


def _active(site: Site, call: Call) -> bool | None:
    """Read `active`: "Default: true" (Update a source)."""
    active = call.given.get("active")
    if active is None:
        return True if site.switches.update_active == "documented" else None
    if active in (True, "true"):
        return True
    if active in (False, "false"):
        return False
    raise InvalidParameter("active must be a boolean")


def _whole(site: Site, source: Emitter) -> Record:
    """Return a source with its user, as single answers show it and lists do not."""
    record = dict(source.record)
    return {"id": record.pop("id"), "user_id": site.workspace.user["id"], **record}
