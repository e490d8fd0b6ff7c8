"""The parameters that many calls share (sections "Common Parameters", "Pagination")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipedream_source.api.arguments import (
    check_fields,
    check_kind,
    check_limit,
    check_text,
    check_url,
)
from pipedream_source.exceptions import ConfigurationError

Fields = Sequence[str] | None


def fields(include: Fields, exclude: Fields) -> dict[str, str]:
    """Return which fields of the answer are wanted."""
    named = {
        "include": check_fields(include, "include"),
        "exclude": check_fields(exclude, "exclude"),
    }
    return {name: text for name, text in named.items() if text}


def page(limit: int, include: Fields, exclude: Fields) -> dict[str, str]:
    """Return the parameters of a list's first page."""
    return {"limit": str(check_limit(limit)), **fields(include, exclude)}


def in_workspace(org_id: str | None) -> dict[str, str]:
    """Return the query parameter that puts a new resource into a workspace."""
    return {} if org_id is None else {"org_id": check_kind(org_id, "org_id", "o")}


def code(
    component_id: str | None, component_code: str | None, component_url: str | None
) -> dict[str, Any]:
    """Return what names a source's code, without what was not given."""
    if component_code is not None and not _is_code(component_code):
        raise ConfigurationError("component_code: must be the code of a component, not blank")
    given = {
        "component_id": component_id and check_kind(component_id, "component_id", "sc"),
        "component_code": component_code,
        "component_url": component_url and check_url(component_url, "component_url"),
    }
    if component_id == "" or component_url == "":
        raise ConfigurationError("component_id and component_url must not be empty")
    return {name: value for name, value in given.items() if value is not None}


def _is_code(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def texts(**named: str | None) -> dict[str, str]:
    """Return the texts that were given, by their names."""
    return {name: check_text(value, name) for name, value in named.items() if value is not None}
