"""Calls of the sections "Users" and "Workspaces", and the one for a workflow's parts."""

from __future__ import annotations

from pipedream_source.api import endpoints
from pipedream_source.api.arguments import check_kind
from pipedream_source.api.calls.parameters import Fields, fields, in_workspace
from pipedream_source.api.protocol import Request


def me(*, include: Fields = None, exclude: Fields = None) -> Request:
    """Ask for the user that the key belongs to."""
    return endpoints.ME.request(params=fields(include, exclude))


def workspace(org_id: str, *, include: Fields = None, exclude: Fields = None) -> Request:
    """Ask for a workspace and its credits."""
    ids = {"org_id": check_kind(org_id, "org_id", "o")}
    return endpoints.WORKSPACE.request(ids, fields(include, exclude))


def workflow(
    workflow_id: str,
    *,
    org_id: str | None = None,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Ask for a workflow's triggers and steps; the documentation leaves this call out."""
    ids = {"workflow_id": check_kind(workflow_id, "workflow_id", "p")}
    params = {**in_workspace(org_id), **fields(include, exclude)}
    return endpoints.WORKFLOW.request(ids, params)
