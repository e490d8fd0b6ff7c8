"""The OpenAPI description, made from the routes table so that it cannot differ from it."""

from __future__ import annotations

import re
from typing import Any

from pipedream_source.sandbox.http.routes import API_PREFIX, API_ROUTES, Route
from pipedream_source.sandbox.http.schemas import PARAMETERS, SCHEMAS

_REFUSALS = {
    400: "The body cannot be read",
    401: "The key is missing or wrong",
    403: "An OAuth token is not taken here",
    404: "There is no such object",
    413: "The body is too large",
    422: "A parameter is missing or cannot be used",
}
_HINTS = {
    "POST": "Parameters stand in the JSON body, in the query, or in both; the body's win.",
    "PUT": "Parameters stand in the JSON body, in the query, or in both; the body's win.",
}


def description(url: str) -> dict[str, Any]:
    """Return the description of the API as it is served at this address."""
    paths: dict[str, dict[str, Any]] = {}
    for route in API_ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    scheme = {"type": "http", "scheme": "bearer", "description": "An API key or an OAuth token"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pipedream REST API (sandbox)", "version": "1"},
        "servers": [{"url": url + API_PREFIX}],
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": scheme}, "schemas": SCHEMAS},
        "paths": paths,
    }


def _operation(route: Route) -> dict[str, Any]:
    title = (route.handler.__doc__ or "").strip().splitlines()[0].rstrip(".")
    has_body = route.method in ("POST", "PUT")
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": title,
        "parameters": _parameters(route, in_query=not has_body or not route.required),
        "responses": _responses(route),
    }
    if has_body:
        operation |= {"description": _HINTS[route.method], "requestBody": _body(route)}
    if not route.documented:
        operation["x-undocumented"] = True
    return operation | ({"security": []} if route.keyless else {})


def _operation_id(route: Route) -> str:
    words = re.findall(r"\w+", route.path)
    return "_".join([route.method.lower(), *words])


def _parameters(route: Route, *, in_query: bool) -> list[dict[str, Any]]:
    parameters = [_parameter(name, "path", True) for name in re.findall(r"{(\w+)}", route.path)]
    if in_query:
        texts = (name for name in route.params if PARAMETERS[name][0].get("type") != "object")
        parameters += [_parameter(name, "query", name in route.required) for name in texts]
    return parameters


def _parameter(name: str, where: str, required: bool) -> dict[str, Any]:
    schema, about = PARAMETERS[name]
    if where == "path":
        # An empty segment, or one with a slash, would be another path.
        schema = {**schema, "minLength": 1, "pattern": "^[^/]+$"}
    whole = {"name": name, "in": where, "required": required, "schema": schema}
    return {**whole, "description": about}


def _body(route: Route) -> dict[str, Any]:
    members = {name: PARAMETERS[name][0] for name in route.params}
    schema: dict[str, Any] = {"type": "object", "properties": members}
    if route.required:
        schema["required"] = list(route.required)
    content = {"application/json": {"schema": schema}}
    return {"required": bool(route.required), "content": content}


def _responses(route: Route) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done"}
    if route.answer:
        answer["content"] = {"application/json": {"schema": _answer(route)}}
    responses = {str(route.status): answer}
    if route.method == "POST" and route.status == 200:
        responses["201"] = answer
    return responses | {str(status): _refusal(about) for status, about in _REFUSALS.items()}


def _refusal(about: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _answer(route: Route) -> dict[str, Any]:
    name = route.answer.removesuffix("[]")
    shape: dict[str, Any] = {"$ref": f"#/components/schemas/{name}"}
    if name in ("Workflow", "Token"):
        return shape
    if route.answer.endswith("[]"):
        shape = {"type": "array", "items": shape}
    members = {"data": shape, "page_info": {"$ref": "#/components/schemas/PageInfo"}}
    return {"type": "object", "properties": members, "required": ["data"]}
