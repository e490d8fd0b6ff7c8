"""Components: create, get, get from the registry."""

from __future__ import annotations

import json

from pipedream_source.sandbox.content.component_code import Component, Text, read_code
from pipedream_source.sandbox.content.library import Published, published, registry_id
from pipedream_source.sandbox.endpoints.answers import (
    created,
    one,
    owner_of,
    refuse_tokens,
    text_of,
)
from pipedream_source.sandbox.protocol.errors import InvalidParameter, RecordNotFound
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.ids import short_id
from pipedream_source.sandbox.world.site import Site
from pipedream_source.sandbox.world.source_lifecycle import kind_of_code


def create_component(site: Site, call: Call) -> Reply:
    """Create a component."""
    refuse_tokens(call)
    return one(saved_component(site, call, owner_of(site, call)).record(), call, created(site))


def get_component(site: Site, call: Call) -> Reply:
    """Get a component."""
    refuse_tokens(call)
    return one(known_component(site, call.ids["key"]).record(), call)


def registry_component(site: Site, call: Call) -> Reply:
    """Get a component from the global registry."""
    refuse_tokens(call)
    found = site.registered(call.ids["key"])
    if found is None:
        raise RecordNotFound
    return one(_registered(site, found).record(), call)


def _registered(site: Site, found: Published) -> Component:
    seconds = site.workspace.start_ms // 1000
    text = read_code(found.code)
    return Component(registry_id(found.key), text, found.kind, seconds, seconds, None, owner_id="")


def known_component(site: Site, key_or_id: str) -> Component:
    """Return a saved component by its id or key."""
    saved = site.workspace.components.find(key_or_id)
    if saved is None:
        raise RecordNotFound
    return saved


def runnable_component(site: Site, key_or_id: str) -> Component:
    """Return a saved component, or one of the registry's, which is saved from then on."""
    saved = site.workspace.components.find(key_or_id)
    if saved is not None:
        return saved
    for found in (*site.published.values(), *published().values()):
        if key_or_id in (found.key, registry_id(found.key)):
            return site.workspace.components.add(_registered(site, found))
    raise RecordNotFound


def saved_component(site: Site, call: Call, owner_id: str) -> Component:
    """Save the component of a call's code or address; the same one again is the saved one.

    "If both are present, component_code is preferred and component_url will be used only as
    metadata" (Create a component).
    """
    code, url = text_of(call, "component_code"), text_of(call, "component_url")
    if not code and not url:
        raise InvalidParameter("one of component_code or component_url is required")
    kind = None
    if not code:
        found = site.published_at(url or "")
        if found is None:
            quoted = json.dumps((url or "")[:200])
            raise InvalidParameter(f"component_url: no component is known at {quoted}")
        code, kind = found.code, found.kind
    text = read_code(code)
    return _saved(site, text, kind or kind_of_code(text), url, owner_id)


def _saved(site: Site, text: Text, kind: str, url: str | None, owner_id: str) -> Component:
    workspace = site.workspace
    for component in workspace.components.by_id.values():
        if (component.text, component.url, component.owner_id) == (text, url, owner_id):
            return component
    seconds = site.clock.now_ms() // 1000
    component_id = short_id("sc", workspace.rng)
    return workspace.components.add(
        Component(component_id, text, kind, seconds, seconds, url, owner_id)
    )
