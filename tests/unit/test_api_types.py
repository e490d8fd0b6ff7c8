"""The types hold each field of the documentation's example answers."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from pipedream_source.api import types

USER_QUOTAS = (
    "daily_compute_time_quota daily_compute_time_used daily_invocations_quota "
    "daily_invocations_used"
)
SOURCE = "id component_id configured_props active created_at updated_at name name_slug"
WEBHOOK = "id user_id name description url active created_at updated_at"
# The fields of the examples under the documentation's headings.
EXAMPLES = [
    (types.User, f"id username email orgs {USER_QUOTAS}"),
    (types.User, "billing_period_start_ts billing_period_end_ts billing_period_credits"),
    (types.Org, "name id orgname email daily_credits_quota daily_credits_used"),
    (types.Org, USER_QUOTAS),
    (types.Workspace, "id orgname name email daily_credits_quota daily_credits_used"),
    (types.Source, SOURCE + " user_id"),
    (types.Component, "id code code_hash name version configurable_props created_at updated_at"),
    (types.ConfigurableProp, "name type label description default"),
    (types.Subscription, "id emitter_id listener_id event_name"),
    (types.Webhook, WEBHOOK),
    (types.EventSummary, "id indexed_at_ms event metadata"),
    (types.EventMetadata, "emit_id name emitter_id"),
]


@pytest.mark.parametrize(("kind", "names"), EXAMPLES)
def test_each_documented_field_has_a_type(kind: type, names: str) -> None:
    assert set(names.split()) <= set(get_type_hints(kind))


@pytest.mark.parametrize("kind", {kind for kind, _ in EXAMPLES} | {types.WorkflowDetails})
def test_no_field_is_required(kind: type) -> None:
    assert kind.__required_keys__ == frozenset()  # type: ignore[attr-defined]
