"""The loaded tables that the notebooks read, and their columns.

A dataset that was loaded in part (`with_resources`) lacks some; they are read as empty ones.
"""

from __future__ import annotations

from typing import Final

EVENT_TABLES: Final = ("source_event_summaries", "workflow_emits", "workflow_errors")

_EVENT = (
    "emitter_id VARCHAR, channel VARCHAR, id VARCHAR, emitted_at TIMESTAMPTZ, event_seq BIGINT, "
    "indexed_at TIMESTAMPTZ, event JSON, event_state VARCHAR, metadata JSON, emit_id VARCHAR, "
    "origin VARCHAR"
)
_USAGE = (
    "daily_credits_quota BIGINT, daily_credits_used BIGINT, daily_compute_time_quota BIGINT, "
    "daily_compute_time_used BIGINT, daily_invocations_quota BIGINT, "
    "daily_invocations_used BIGINT, billing_period_start_ts TIMESTAMPTZ, "
    "billing_period_end_ts TIMESTAMPTZ, billing_period_credits BIGINT"
)

EXPECTED: Final = {
    **dict.fromkeys(EVENT_TABLES, _EVENT),
    "event_gaps": (
        "emitter_id VARCHAR, channel VARCHAR, verdict VARCHAR, after_id VARCHAR, "
        "before_id VARCHAR, gap_start TIMESTAMPTZ, gap_end TIMESTAMPTZ, lost_min BIGINT, "
        "lost_likely BIGINT, lost_max BIGINT, method VARCHAR, inputs JSON, detected_at TIMESTAMPTZ"
    ),
    "load_runs": (
        "started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, streams_polled BIGINT, "
        "streams_failed BIGINT, events_new BIGINT, gaps BIGINT, lost_min BIGINT, "
        "lost_max BIGINT, requests BIGINT, bytes BIGINT"
    ),
    "stream_coverage": (
        "emitter_id VARCHAR, channel VARCHAR, opened_at TIMESTAMPTZ, covered_until TIMESTAMPTZ, "
        "polls BIGINT"
    ),
    "sources": (
        "id VARCHAR, name VARCHAR, active BOOLEAN, configured_props JSON, _dlt_valid_to TIMESTAMPTZ"
    ),
    "workflows": "id VARCHAR, name VARCHAR",
    "users": f"id VARCHAR, snapshot_at TIMESTAMPTZ, username VARCHAR, {_USAGE}",
    "workspaces": f"id VARCHAR, snapshot_at TIMESTAMPTZ, name VARCHAR, {_USAGE}",
}

#: What is read of dbt's marts, which need not be there.
MARTS: Final = {
    "fct_events": "event_key VARCHAR",
    "fct_error_groups": "fingerprint VARCHAR, came_back_at TIMESTAMPTZ, is_back BOOLEAN",
    "fct_workflow_errors": (
        "event_key VARCHAR, workflow_id VARCHAR, workflow_name VARCHAR, cell_id VARCHAR, "
        "original_emitter_id VARCHAR, error_code VARCHAR, error_message VARCHAR, top_frame VARCHAR"
    ),
    "fct_payload_fields": (
        "emitter_id VARCHAR, channel VARCHAR, path VARCHAR, types VARCHAR, events BIGINT, "
        "share DOUBLE, drift VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ, "
        "example VARCHAR"
    ),
}
