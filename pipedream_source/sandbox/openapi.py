"""The OpenAPI description, made from the routes table so that it cannot differ from it."""

from __future__ import annotations

import re
from typing import Any

from pipedream_source.sandbox.routes import API_PREFIX, API_ROUTES, Route


def description(url: str) -> dict[str, Any]:
    """Return the description of the API as it is served at this address."""
    paths: dict[str, dict[str, Any]] = {}
    for route in API_ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pipedream REST API (sandbox)", "version": "1"},
        "servers": [{"url": url + API_PREFIX}],
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    }


def _operation(route: Route) -> dict[str, Any]:
    title = (route.handler.__doc__ or "").strip().splitlines()[0].rstrip(".")
    parameters = [_parameter(name, "path") for name in re.findall(r"{(\w+)}", route.path)]
    parameters += [_parameter(name, "query") for name in route.params]
    return {
        "summary": title,
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}, "default": {"description": "An error"}},
    }


def _parameter(name: str, where: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name == "limit":
        schema = {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}
    return {"name": name, "in": where, "required": where == "path", "schema": schema}
