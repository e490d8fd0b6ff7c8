"""Calls of the section "Components"."""

from __future__ import annotations

from pipedream_source.api import endpoints
from pipedream_source.api.arguments import check_key
from pipedream_source.api.calls.parameters import Fields, code, fields, in_workspace
from pipedream_source.api.protocol import Request
from pipedream_source.exceptions import ConfigurationError


def create_component(
    *,
    component_code: str | None = None,
    component_url: str | None = None,
    org_id: str | None = None,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Save a component; with both given, the code counts and the URL only tells its origin."""
    body = code(None, component_code, component_url)
    if not body:
        raise ConfigurationError("One of component_code or component_url is required.")
    body.update(fields(include, exclude))
    return endpoints.CREATE_COMPONENT.request(params=in_workspace(org_id), body=body)


def component(key_or_id: str, *, include: Fields = None, exclude: Fields = None) -> Request:
    """Ask for a component of the account by the `key` in its code or by its id."""
    ids = {"key": check_key(key_or_id, "key_or_id")}
    return endpoints.COMPONENT.request(ids, fields(include, exclude))


def registry_component(key: str, *, include: Fields = None, exclude: Fields = None) -> Request:
    """Ask for a component of the global registry."""
    ids = {"key": check_key(key, "key")}
    return endpoints.REGISTRY_COMPONENT.request(ids, fields(include, exclude))
