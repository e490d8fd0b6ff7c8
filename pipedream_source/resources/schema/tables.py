"""Every table's name, columns, key and disposition: the only place where they are written down.

The descriptions become comments in the database, `pipedream-source tables` and `docs/tables.md`.
"""

from __future__ import annotations

from typing import Final

from pipedream_source.resources.schema.table import INSERT_ONLY as INSERT_ONLY
from pipedream_source.resources.schema.table import SCD2 as SCD2
from pipedream_source.resources.schema.table import UPSERT as UPSERT
from pipedream_source.resources.schema.table import Columns, flag, json, real, text, time, whole
from pipedream_source.resources.schema.table import Table as Table
from pipedream_source.resources.schema.table import row_id as row_id

_STREAM: Final = {
    "emitter_id": text("Id of the source (`dc_…`) or workflow (`p_…`)."),
    "channel": text("Event name within the emitter; empty for the default channel."),
}
_EVENT: Final = {
    **_STREAM,
    "id": text("Id of the event, `<ms>-<seq>`, as the API gave it; unique within its stream."),
    "emitted_at": time("When the event was emitted: the milliseconds of its id."),
    "event_seq": whole("The sequence number of its id: orders events of one millisecond."),
    "indexed_at": time("When the API indexed the event; null when it did not say."),
    "event": json(
        "The payload, byte for byte as sent (jsonb on Postgres); null where none was sent or it "
        "was pruned."
    ),
    "event_state": text(
        "State of the payload: `full`, `missing` (none was sent), `repaired` (original in "
        "quarantine) or `pruned` (moved to an archive)."
    ),
    "metadata": json("The metadata object, as sent."),
    "emit_id": text("The emit id in the metadata."),
    "origin": text("How the row was read: `poll`."),
}
_EVENT_KEY: Final = ("emitter_id", "channel", "id")
SOURCE_EVENT_SUMMARIES = Table(
    "source_event_summaries",
    "One row per event that a source emitted.",
    _EVENT,
    _EVENT_KEY,
    INSERT_ONLY,
)
WORKFLOW_EMITS = Table(
    "workflow_emits", "One row per event that a workflow emitted.", _EVENT, _EVENT_KEY, INSERT_ONLY
)
WORKFLOW_ERRORS = Table(
    "workflow_errors", "One row per error of a workflow.", _EVENT, _EVENT_KEY, INSERT_ONLY
)
EVENT_TABLES: Final = (SOURCE_EVENT_SUMMARIES, WORKFLOW_EMITS, WORKFLOW_ERRORS)

_LOST: Final = {
    "lost_min": whole("Events lost at least.", "events"),
    "lost_likely": whole("Events lost, likely; null where it cannot be estimated.", "events"),
    "lost_max": whole("Events lost at most; null where no bound is known.", "events"),
}

# Two machines may find a gap from the same event on, within one second (the API's `Date` has no
# finer), and each of them another end of it; `before_id` is empty where no event is known after.
EVENT_GAPS = Table(
    "event_gaps",
    "One row per gap: a stretch of a stream of which the API no longer showed everything.",
    {
        **_STREAM,
        "verdict": text(
            "Why: `overrun` (too many events between two polls), `purged` (deleted), `regressed` "
            "(recreated or restored) or `unknown` (the API contradicted itself)."
        ),
        "after_id": text("Id of the last event known before the gap."),
        "before_id": text("Id of the first event known after the gap; empty for none."),
        "gap_start": time("When the gap starts."),
        "gap_end": time("When the gap ends."),
        **_LOST,
        "method": text("How the loss was estimated."),
        "inputs": json("What the loss was estimated from."),
        "detected_at": time("When the poll that found the gap was made."),
    },
    ("emitter_id", "channel", "after_id", "before_id", "verdict", "detected_at"),
    INSERT_ONLY,
)

STREAM_STATUS = Table(
    "stream_status",
    "One row per stream: its newest poll.",
    {
        **_STREAM,
        "last_id": text("Id of the newest event that was loaded."),
        "last_polled_at": time("When the stream was polled last."),
        "verdict": text(
            "What that poll proved: `first`, `contiguous`, `overrun`, `purged`, `regressed`, "
            "`unknown`, or `ended` for an emitter that the API no longer finds."
        ),
        "window_size": whole("Events in the window of that poll.", "events"),
        "window_seconds": real("Time that the window spans.", "s"),
        "fill": real("New events divided by the events in the window, 0 to 1."),
        "headroom": real(
            "Time that the window spans divided by the time between polls; under 1 events are "
            "being lost."
        ),
        "events_per_hour": real("Pace of the stream, smoothed over a day at most.", "events/h"),
        "next_poll_at": time("When to poll next at the latest."),
        "failures": whole("Polls that failed in a row.", "polls"),
        "last_error": text("Why the newest poll failed; null when it did not."),
    },
    ("emitter_id", "channel"),
    UPSERT,
)

#: Extended by each poll that overlaps the one before, and never repeated.
STREAM_COVERAGE = Table(
    "stream_coverage",
    "One row per stretch of a stream in which every window overlapped the one before.",
    {
        **_STREAM,
        "from_id": text("Id of the first event of the stretch; `0-0` for all there ever was."),
        "opened_at": time("When the first poll that proves the stretch was made."),
        "begins": text("Why it begins there: `origin`, `window`, `gap` or `since`."),
        "covered_from": time("When the stretch begins; null for all there ever was."),
        "covered_until": time("When the last poll that proves the stretch was made."),
        "until_id": text("Id of the newest event at that poll."),
        "until_at": time("When that event was emitted."),
        "events": whole("Events that the polls of the stretch brought.", "events"),
        "polls": whole("Polls that prove the stretch.", "polls"),
        "longest_pause_s": real("Longest time between two of these polls.", "s"),
    },
    ("emitter_id", "channel", "from_id", "opened_at"),
    UPSERT,
)

QUARANTINE = Table(
    "quarantine",
    "One row per row of the API that could not be stored as it was.",
    {
        "row_hash": text("SHA-256 of the stream and the row."),
        **_STREAM,
        "id": text("Id of the event as far as it could be read; null for none."),
        "reason": text("Why the row is quarantined."),
        "raw": text("The row as it came."),
        "raw_encoding": text("Encoding of `raw`: `utf8` or `base64`."),
        "truncated": flag("Whether `raw` was cut."),
        "detected_at": time("When the row was read."),
    },
    ("row_hash",),
    INSERT_ONLY,
)

#: The absence of what stands here is no loss.
DELETIONS = Table(
    "deletions",
    "One row per stretch of a stream that `events delete` took from the API after it was loaded.",
    {
        **_STREAM,
        "from_id": text("Id of the oldest event deleted; `0-0` for the oldest there was."),
        "until_id": text("Id of the newest event deleted."),
        "proven_from": text("Id of the event from which on polls proved that all was loaded."),
        "events": whole("Events that the API held of it.", "events"),
        "deleted_at": time("When the events were deleted."),
    },
    ("emitter_id", "channel", "until_id", "deleted_at"),
    INSERT_ONLY,
)

#: Tables that every event resource writes beside its own.
SIDE_TABLES: Final = (EVENT_GAPS, STREAM_STATUS, STREAM_COVERAGE, QUARANTINE, DELETIONS)

_DATED: Final = {
    "created_at": time("When it was created."),
    "updated_at": time("When it was last changed."),
}
_LISTED_IN: Final = {"listed_in": json("The lists that name it, an array.")}
_EXTRA: Final = {"extra": json("Fields of the API that have no column, an object.")}

SOURCES = Table(
    "sources",
    "One row per version of a source.",
    {
        "id": text("Id of the source."),
        "component_id": text("Id of the component that it runs."),
        "user_id": text("Id of its owner."),
        "name": text("Its name."),
        "name_slug": text("Its name in addresses."),
        "active": flag("Whether it is switched on."),
        "configured_props": json("Its configuration; credentials are redacted."),
        **_DATED,
        **_LISTED_IN,
        **_EXTRA,
    },
    ("id",),
    SCD2,
)

WEBHOOKS = Table(
    "webhooks",
    "One row per version of a webhook.",
    {
        "id": text("Id of the webhook."),
        "user_id": text("Id of its owner."),
        "name": text("Its name."),
        "description": text("What it is for."),
        "url": text("Where events are sent; credentials are redacted."),
        "active": flag("Whether it is switched on."),
        **_DATED,
        **_LISTED_IN,
        **_EXTRA,
    },
    ("id",),
    SCD2,
)

COMPONENTS = Table(
    "components",
    "One row per component that a source refers to and that the key may read.",
    {
        "id": text("Id of the component."),
        "key": text("Its key, as its code names it."),
        "name": text("Its name."),
        "version": text("Its version."),
        "code_hash": text("SHA-256 of its code; see `component_code`."),
        "configurable_props": json("Its props, an array."),
        **_DATED,
        **_EXTRA,
    },
    ("id",),
    UPSERT,
)

#: Apart from `components`, as components share their code, and one that is updated keeps the old.
COMPONENT_CODE = Table(
    "component_code",
    "One row per text of code.",
    {"code_hash": text("SHA-256 of the code."), "code": text("The code.")},
    ("code_hash",),
    INSERT_ONLY,
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    "One row per subscription: a listener that gets an emitter's events.",
    {
        "id": text("Id of the subscription."),
        "emitter_id": text("Id of the emitter, or a pattern of ids."),
        "emitter_kind": text("Kind of the emitter: `source`, `workflow`, `glob` or another."),
        "listener_id": text("Id of the listener, which gets the events."),
        "listener_kind": text("Kind of the listener: `workflow`, `webhook` or another."),
        "event_name": text("Channel that it listens to; empty for the default channel."),
        **_LISTED_IN,
        **_EXTRA,
    },
    ("id",),
    replace=True,
)

WORKFLOWS = Table(
    "workflows",
    "One row per workflow that something names.",
    {
        "id": text("Id of the workflow."),
        "name": text("Its name, if its errors told it."),
        "discovered_by": json("What names it, an array."),
        "reachable": flag("Whether the key may read it; null when that is unknown."),
        "first_seen_at": time("When it was first found."),
        "last_seen_at": time("When it was last found."),
    },
    ("id",),
    UPSERT,
)

_USAGE: Final[Columns] = {
    "daily_credits_quota": whole("Credits for a day.", "credits"),
    "daily_credits_used": whole("Credits used since midnight UTC.", "credits"),
    "daily_compute_time_quota": whole("Compute time for a day.", "ms"),
    "daily_compute_time_used": whole("Compute time used since midnight UTC.", "ms"),
    "daily_invocations_quota": whole("Invocations for a day.", "invocations"),
    "daily_invocations_used": whole("Invocations since midnight UTC.", "invocations"),
    "billing_period_start_ts": time("When the billing period began."),
    "billing_period_end_ts": time("When the billing period ends."),
    "billing_period_credits": whole("Credits used in the billing period.", "credits"),
}
_SNAPSHOT: Final = {"snapshot_at": time("When the API was asked.")}

USERS = Table(
    "users",
    "One row per load and user: what was used at that moment.",
    {
        "id": text("Id of the user."),
        **_SNAPSHOT,
        "username": text("Name of the user."),
        "email": text("E-mail address of the user."),
        "org_ids": json("Ids of the user's workspaces, an array."),
        **_USAGE,
        **_EXTRA,
    },
    ("id", "snapshot_at"),
)

WORKSPACES = Table(
    "workspaces",
    "One row per load and workspace: what was used at that moment.",
    {
        "id": text("Id of the workspace."),
        **_SNAPSHOT,
        "name": text("Name of the workspace."),
        "orgname": text("Its name in addresses."),
        "email": text("Its e-mail address."),
        **_USAGE,
        **_EXTRA,
    },
    ("id", "snapshot_at"),
)

LOAD_RUNS = Table(
    "load_runs",
    "One row per run of the command that polled.",
    {
        "run_id": text("Id of the run."),
        "started_at": time("When the run began."),
        "finished_at": time("When polling ended."),
        "streams_polled": whole("Streams that were read.", "streams"),
        "streams_failed": whole("Streams that could not be read.", "streams"),
        "streams_skipped": whole("Streams that were not asked.", "streams"),
        "events_new": whole("Events that were new.", "events"),
        "gaps": whole("Gaps that were found.", "gaps"),
        **_LOST,
        "requests": whole("Requests sent to the API.", "requests"),
        "bytes": whole("Bytes of its answers.", "bytes"),
        "retries": whole("Requests that were repeated.", "requests"),
        "version": text("Version of pipedream-source."),
    },
)
