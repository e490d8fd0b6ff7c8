"""Workflows: what later documentation tells of one, without a `data` wrapper."""

from __future__ import annotations

from typing import Any

from pipedream_source.sandbox.content.kinds import Throws
from pipedream_source.sandbox.endpoints.answers import named_org, picked
from pipedream_source.sandbox.endpoints.events import workflow_seen
from pipedream_source.sandbox.protocol.errors import RecordNotFound
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.rows import ERRORS
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.site import Site


def get_workflow(site: Site, call: Call) -> Reply:
    """Get a workflow's triggers and steps."""
    workflow = workflow_seen(site, call)
    org_id = named_org(site, call)
    if org_id not in (None, workflow.owner_id):
        raise RecordNotFound
    details = {"triggers": _triggers(site, workflow), "steps": _steps(workflow)}
    return Reply.json(picked(details, call))


def _triggers(site: Site, workflow: Emitter) -> list[dict[str, Any]]:
    """Return the sources and workflows that trigger it; one without any has an HTTP trigger."""
    found = [
        {"id": s.record["emitter_id"], "owner_id": workflow.owner_id, "event_name": s.key[1]}
        for s in site.workspace.subscriptions.all
        if s.record["listener_id"] == workflow.id and not s.auto
    ]
    tail = workflow.id.removeprefix("p_")
    endpoint = {"id": f"hi_{tail}", "key": f"e{tail.lower()}"}
    endpoint |= {"endpoint_url": f"https://e{tail.lower()}.m.pipedream.net"}
    return found or [{**endpoint, "custom_response": False}]


def _steps(workflow: Emitter) -> list[dict[str, Any]]:
    kind = workflow.kind(ERRORS)
    cells = kind.throwers[0].identity.cells if isinstance(kind, Throws) else ()
    return [
        {
            "id": cell,
            "namespace": "code" if number == 0 else f"code_{number}",
            "disabled": False,
            "lang": "nodejs20.x",
            "savedComponent": None,
            "configured_props_json": "{}",
        }
        for number, cell in enumerate(cells)
    ]
