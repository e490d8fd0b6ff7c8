"""Views that the queries share, made anew on each connection and never stored.

A fingerprint says which errors are alike: it is made of the error's code, its message without what
differs from one to the next, and the place in the code. The dbt marts make the same one, and still
tell of errors whose payloads were pruned.
"""

from __future__ import annotations

from typing import Final

from .fingerprints import fingerprint, normalised_message, top_frame
from .tables import EVENT_TABLES

_EVERY_EVENT = " UNION ALL ".join(
    f"SELECT '{table}' AS source_table, emitter_id, channel, id, emitted_at, event_seq, event "  # noqa: S608
    f"FROM {table}"
    for table in EVENT_TABLES
)

_NAMED_EMITTERS = """
SELECT id AS emitter_id, any_value(name) AS name, 'source' AS kind,
       any_value(configured_props ->> '$.http.endpoint_url') AS endpoint
FROM sources WHERE _dlt_valid_to IS NULL GROUP BY id
UNION ALL
SELECT id, any_value(name), 'workflow', NULL FROM workflows GROUP BY id
"""

_DETAILED_ERRORS = f"""
WITH raised AS (
    SELECT e.emitter_id, e.channel, e.id, e.emitted_at, e.event_seq, e.event,
           coalesce(kept.workflow_id, e.workflow_id) AS workflow_id,
           coalesce(e.workflow_name, kept.workflow_name) AS told_name,
           coalesce(e.original_emitter_id, kept.original_emitter_id) AS trigger_id,
           coalesce(e.step, kept.cell_id) AS step,
           coalesce(e.code, kept.error_code) AS code,
           coalesce(e.message, kept.error_message) AS message,
           e.stack, coalesce(e.own_line, kept.top_frame) AS own_line
    FROM errors AS e
    LEFT JOIN fct_workflow_errors AS kept
        ON e.event IS NULL AND kept.event_key = e.emitter_id || ':' || e.channel || ':' || e.id
),
framed AS (
    SELECT * EXCLUDE (own_line), {normalised_message("message")} AS message_normalised,
           {top_frame("own_line")} AS top_frame
    FROM raised
)
SELECT framed.*, coalesce(told_name, name, workflow_id) AS workflow,
       {fingerprint("code", "message_normalised", "top_frame")} AS fingerprint
FROM framed LEFT JOIN named_emitters ON named_emitters.emitter_id = workflow_id
"""  # noqa: S608

_FIGURES = """
daily_credits_quota, daily_credits_used, daily_compute_time_quota, daily_compute_time_used,
daily_invocations_quota, daily_invocations_used,
billing_period_start_ts AS begins, billing_period_end_ts AS ends, billing_period_credits AS credits
"""
_USAGE_SNAPSHOTS = f"""
SELECT 'workspace' AS kind, id, coalesce(name, id) AS owner, snapshot_at, {_FIGURES} FROM workspaces
UNION ALL
SELECT 'user', id, coalesce(username, id), snapshot_at, {_FIGURES} FROM users
"""  # noqa: S608

#: Those that loads store, too, which a database of an older version lacks.
SHARED: Final = ("errors", "losses")
#: In this order, as later ones use earlier ones.
VIEWS: Final = {
    "every_event": _EVERY_EVENT,
    "named_emitters": _NAMED_EMITTERS,
    "detailed_errors": _DETAILED_ERRORS,
    "usage_snapshots": _USAGE_SNAPSHOTS,
}
