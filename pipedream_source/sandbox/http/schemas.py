"""The shapes of what the API takes and gives, for the description.

Objects may have more members than these: the API adds some now and then.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
OPEN: Schema = {"type": "object"}
SECONDS: Schema = {"type": "integer", "description": "Unix seconds"}
MILLISECONDS: Schema = {"type": "integer", "description": "Unix milliseconds"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
CURSOR: Schema = {"type": ["string", "null"]}


def _object(required: str, **members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": required.split()}


def _id(prefix: str) -> Schema:
    return {"type": "string", "pattern": f"^{prefix}_"}


_TIMES = {"created_at": SECONDS, "updated_at": SECONDS}
_CREDITS = {"daily_credits_quota": WHOLE, "daily_credits_used": WHOLE}

# None of a row's or an object's members is required: `include` and `exclude` may take any away.
SCHEMAS: dict[str, Schema] = {
    "Error": _object("error", error=TEXT, error_description=TEXT),
    "PageInfo": _object(
        "total_count count",
        total_count=WHOLE,
        count=WHOLE,
        start_cursor=CURSOR,
        end_cursor=CURSOR,
        excluded_count=WHOLE,
    ),
    "User": _object(
        "",
        id=_id("u"),
        username=TEXT,
        email=TEXT,
        daily_compute_time_quota=WHOLE,
        daily_compute_time_used=WHOLE,
        daily_invocations_quota=WHOLE,
        daily_invocations_used=WHOLE,
        billing_period_start_ts=SECONDS,
        billing_period_end_ts=SECONDS,
        billing_period_credits=WHOLE,
        orgs={"type": "array", "items": {"$ref": "#/components/schemas/Workspace"}},
    ),
    "Workspace": _object("", id=_id("o"), orgname=TEXT, name=TEXT, email=TEXT, **_CREDITS),
    "Source": _object(
        "",
        id=_id("dc"),
        user_id=_id("u"),
        component_id=_id("sc"),
        configured_props=OPEN,
        active=FLAG,
        name=TEXT,
        name_slug=TEXT,
        **_TIMES,
    ),
    "Component": _object(
        "",
        id=_id("sc"),
        code=TEXT,
        code_hash={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        key=TEXT_OR_NULL,
        name=TEXT_OR_NULL,
        version=TEXT_OR_NULL,
        configurable_props={"type": "array", "items": _object("name type", name=TEXT, type=TEXT)},
        **_TIMES,
    ),
    "Subscription": _object("", id=_id("sub"), emitter_id=TEXT, listener_id=TEXT, event_name=TEXT),
    "Webhook": _object(
        "",
        id=_id("wh"),
        user_id=_id("u"),
        name=TEXT_OR_NULL,
        description=TEXT_OR_NULL,
        url=TEXT,
        active=FLAG,
        **_TIMES,
    ),
    # An event is any JSON value.
    "Event": _object(
        "",
        id=TEXT,
        indexed_at_ms=MILLISECONDS,
        event={},
        metadata={
            "type": ["object", "null"],
            "properties": {"emit_id": TEXT, "name": TEXT, "emitter_id": TEXT},
        },
    ),
    "OlderEvent": _object("id e ts k", id=TEXT, e={}, ts=MILLISECONDS, k=TEXT),
    "Workflow": _object(
        "", triggers={"type": "array", "items": OPEN}, steps={"type": "array", "items": OPEN}
    ),
    "Token": _object(
        "access_token token_type expires_in", access_token=TEXT, token_type=TEXT, expires_in=WHOLE
    ),
}

_NAMES = "Names of fields, comma-separated"
_OBJECT_ID = "The id of a source, a workflow, or a webhook"
_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}

# Each parameter's shape, and what it is.
PARAMETERS: dict[str, tuple[Schema, str]] = {
    "id": (TEXT, "The id of the object"),
    "key": (TEXT, "The key or id of a component"),
    "org_id": (TEXT, "The id of a workspace"),
    "workspace_id": (TEXT, "The same as `org_id`"),
    "channel": (TEXT, "A channel's name, such as `$errors`"),
    "limit": (_LIMIT, "The size of a page"),
    "n": (_LIMIT, "How many events"),
    "after": (TEXT, "A cursor that a page gave: rows behind it"),
    "before": (TEXT, "A cursor that a page gave: rows before it"),
    "include": (TEXT, f"{_NAMES}: only these are answered"),
    "exclude": (TEXT, f"{_NAMES}: these are not answered"),
    "expand": (TEXT, "`event`: events over 1 KB come whole"),
    "event_name": (TEXT, "A channel; empty for the default one"),
    "component_id": (TEXT, "The id of a component saved before"),
    "component_code": (TEXT, "The full code of a component"),
    "component_url": (TEXT, "Where a component's code is"),
    "name": (TEXT, "A name"),
    "description": (TEXT, "A description"),
    "configured_props": (OPEN, "The values of the component's props"),
    "active": (FLAG | {"default": True}, "Whether the source runs"),
    "start_id": (TEXT, "The first event's id"),
    "end_id": (TEXT, "The last event's id"),
    "emitter_id": (TEXT, f"{_OBJECT_ID}, a workspace, a user, or `p_*` or `dc_*`"),
    "listener_id": (TEXT, _OBJECT_ID),
    "url": (TEXT | {"format": "uri"}, "Where events are delivered, over http or https"),
    "grant_type": ({"type": "string", "enum": ["client_credentials"]}, "The grant"),
    "client_id": (TEXT, "The OAuth client's id"),
    "client_secret": (TEXT, "Its secret"),
}
