"""Any object that the API may send fits its table: nothing is lost, nothing breaks the load."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.resources.arrow.items import to_arrow
from pipedream_source.resources.objects.object_resources import kind_of
from pipedream_source.resources.objects.object_rows import ordered, row_of
from pipedream_source.resources.schema.tables import (
    COMPONENTS,
    SOURCES,
    SUBSCRIPTIONS,
    USERS,
    WEBHOOKS,
    WORKSPACES,
    Table,
)
from pipedream_source.resources.session.source_state import digest_of

TABLES = (SOURCES, WEBHOOKS, COMPONENTS, SUBSCRIPTIONS, USERS, WORKSPACES)
LOAD = "1795471982.1"

# What decoders bring that few columns take: no decoder limits a number or closes a pair.
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63), 2**64, 1e308, 1.5, 2.0, 1_700_000_000, 1_700_000_000_000])
    | st.floats()
    | st.text(st.characters())
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(st.data())
def test_any_object_becomes_a_row(table: Table, data: st.DataObject) -> None:
    names = st.sampled_from([*table.columns, "unknown"])
    item: dict[str, Any] = data.draw(st.dictionaries(names, values))
    required = {name: datetime(2026, 1, 1, tzinfo=UTC) for name in table.key} | {"id": "x_1"}
    row = row_of(table, item | required)
    arrow = to_arrow(table, [row], LOAD)
    assert arrow.num_rows == 1
    stored = arrow.to_pylist()[0]
    extra = json.loads(stored["extra"]) if stored["extra"] else {}
    for name, value in item.items():
        if value is not None and name not in required:
            assert stored.get(name) is not None or name in extra, name
    for name, kind in table.columns.items():
        if kind == "json" and stored[name] is not None:
            json.loads(stored[name])


@pytest.mark.parametrize(
    ("column", "value", "stored", "extra"),
    [
        ("daily_credits_used", 12, 12, None),
        ("daily_credits_used", 12.0, 12, None),
        ("daily_credits_used", 12.5, None, 12.5),
        ("daily_credits_used", True, None, True),
        ("daily_credits_used", 2**63, None, 2**63),
        ("daily_credits_used", "12", None, "12"),
        ("billing_period_start_ts", 1610154978, datetime(2021, 1, 9, 1, 16, 18, tzinfo=UTC), None),
        ("billing_period_start_ts", 1610154978000, None, 1610154978000),
        ("billing_period_start_ts", "soon", None, "soon"),
        ("email", "a\ud83d\x00b", "a\ufffd\ufffdb", None),
        ("email", ["x"], None, ["x"]),
        ("plan", {"b": 1, "a": "\ud83d"}, None, {"a": "\ufffd", "b": 1}),
    ],
)
def test_values_and_what_is_kept_beside_them(
    column: str, value: Any, stored: Any, extra: Any
) -> None:
    row = row_of(USERS, {"id": "u_1", column: value})
    assert row.get(column) == stored
    found = json.loads(row["extra"])[column] if row["extra"] else None
    assert found == extra


def test_a_row_is_redacted_with_the_salt() -> None:
    item = {"id": "dc_1", "configured_props": {"token": "hunter2"}, "later": {"secret": "hunter2"}}
    plain, salted = row_of(SOURCES, item), row_of(SOURCES, item, "salt")
    for row in (plain, salted):
        assert "hunter2" not in repr(row)
    assert plain["configured_props"] == '{"token":"[redacted]"}'
    assert salted["configured_props"] != plain["configured_props"]
    assert digest_of(salted) != digest_of(plain)


def test_objects_are_ordered_by_their_ids() -> None:
    assert ordered({"b": {"id": "b"}, "a": {"id": "a"}}) == [{"id": "a"}, {"id": "b"}]


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("dc_abc123", "source"),
        ("hi_abc123", "source"),
        ("ti_abc123", "source"),
        ("p_abc123", "workflow"),
        ("wh_abc123", "webhook"),
        ("p_*", "glob"),
        ("dc_*", "glob"),
        ("o_abc123", "workspace"),
        ("u_abc123", "user"),
        ("", None),
        (None, None),
    ],
)
def test_each_end_of_a_subscription_has_a_kind(end: str | None, kind: str | None) -> None:
    assert kind_of(end) == kind
