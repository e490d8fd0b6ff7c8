"""What the API's objects hold, as types for readers of their JSON.

They are `TypedDict`s with `total=False` rather than dataclasses: an answer stays the JSON that it
was, so a field that nobody documented survives, and one that is absent fails nothing. Each field
may be missing and each documented `string` may be null; use `get`.

Resources' times (`created_at`, `updated_at`, `*_ts`) are Unix seconds; those of events
(`indexed_at_ms`, the part of an event's id before the dash) are Unix milliseconds.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Workspace(TypedDict, total=False):
    """A workspace (section "Get a Workspace").

    Credits are of the current billing period's day; compute times are in milliseconds.
    """

    id: str
    orgname: str
    name: str
    email: str
    daily_credits_quota: int
    daily_credits_used: int
    daily_compute_time_quota: int
    daily_compute_time_used: int
    daily_invocations_quota: int
    daily_invocations_used: int


class Org(Workspace, total=False):
    """A workspace as the user's own object lists it (section "Get Current User Info")."""


class User(TypedDict, total=False):
    """The user that a key belongs to (section "Get Current User Info").

    `billing_period_start_ts` and `billing_period_end_ts` are Unix seconds; compute times are in
    milliseconds. Free users have the `daily_*` fields, paying ones the `billing_period_*` fields.
    """

    id: str
    username: str
    email: str
    orgs: list[Org]
    daily_compute_time_quota: int
    daily_compute_time_used: int
    daily_invocations_quota: int
    daily_invocations_used: int
    billing_period_start_ts: int
    billing_period_end_ts: int
    billing_period_credits: int


class Source(TypedDict, total=False):
    """An event source (section "Sources"); `created_at` and `updated_at` are Unix seconds."""

    id: str
    user_id: str
    component_id: str
    configured_props: dict[str, Any]
    active: bool
    created_at: int
    updated_at: int
    name: str
    name_slug: str


class ConfigurableProp(TypedDict, total=False):
    """A value that a component asks for when a source is made of it."""

    name: str
    type: str
    label: str
    description: str
    optional: bool
    default: Any


class Component(TypedDict, total=False):
    """The code of a source (section "Components"); `created_at`, `updated_at` in Unix seconds."""

    id: str
    key: str
    code: str
    code_hash: str
    name: str
    version: str
    configurable_props: list[ConfigurableProp]
    created_at: int
    updated_at: int


class Subscription(TypedDict, total=False):
    """Who hears whom (section "Subscriptions").

    `emitter_id` is an id or a glob (`p_*`, `dc_*`); `event_name` is empty for the default channel.
    """

    id: str
    emitter_id: str
    listener_id: str
    event_name: str


class Webhook(TypedDict, total=False):
    """An address that events are sent to (section "Webhooks"); times in Unix seconds."""

    id: str
    user_id: str
    name: str | None
    description: str | None
    url: str
    active: bool
    created_at: int
    updated_at: int


class EventMetadata(TypedDict, total=False):
    """What the API notes of an event; `name` is its channel, empty for the default one."""

    emit_id: str
    name: str
    emitter_id: str
    id: str
    summary: str
    ts: int


class EventSummary(TypedDict, total=False):
    """An event (sections "Get Source Events", "Get Workflow Emits", "Get Workflow Errors").

    `id` is `<Unix milliseconds>-<sequence>`, `indexed_at_ms` is in Unix milliseconds, `event` is
    any JSON value. `$emit` takes anything, so the payload may also be null or absent.
    """

    id: str
    indexed_at_ms: int
    event: Any
    metadata: EventMetadata


class WorkflowDetails(TypedDict, total=False):
    """A workflow's parts, from a call that the documentation leaves out."""

    id: str
    name: str
    triggers: list[dict[str, Any]]
    steps: list[dict[str, Any]]
