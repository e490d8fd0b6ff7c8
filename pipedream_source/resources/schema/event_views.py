"""The views of events: all of them in one place, and errors taken apart."""

from __future__ import annotations

from typing import Final

from pipedream_source.resources.schema.table import OWN, json, text, time
from pipedream_source.resources.schema.tables import (
    SOURCE_EVENT_SUMMARIES,
    WORKFLOW_EMITS,
    WORKFLOW_ERRORS,
)
from pipedream_source.resources.schema.view import CHANNEL, EMITTER, View

# The table of each kind of event.
_KINDS: Final = {
    "source_event": SOURCE_EVENT_SUMMARIES.name,
    "workflow_emit": WORKFLOW_EMITS.name,
    "workflow_error": WORKFLOW_ERRORS.name,
}
_COPIED: Final = ("id", "event_seq", "indexed_at", "event", "event_state", "metadata", "emit_id")
_EVENT_FIELDS: Final = {name: WORKFLOW_ERRORS.fields[name] for name in (*_COPIED, "origin")}
_LOAD: Final = {"_dlt_load_id": OWN["_dlt_load_id"]}
_EACH_EVENT: Final = "\n    UNION ALL\n".join(
    f"    SELECT '{kind}' AS kind, emitter_id, channel, emitted_at, {', '.join(_EVENT_FIELDS)}, "  # noqa: S608
    f"_dlt_load_id FROM {{{table}}} AS {table}"
    for kind, table in _KINDS.items()
)
EVENTS: Final = View(
    "events",
    "One row per event, emit and error.",
    {
        "emitted_at": time("When the event was emitted."),
        "kind": text("`source_event`, `workflow_emit` or `workflow_error`."),
        **EMITTER,
        "workflow_name": text("Newest name of the workflow; null for events of sources."),
        **CHANNEL,
        **_EVENT_FIELDS,
        **_LOAD,
    },
    f"""\
SELECT each.emitted_at, each.kind, each.emitter_id, named.name AS emitter_name,
    CASE WHEN each.kind <> 'source_event' THEN named.name END AS workflow_name, each.channel,
    {", ".join(f"each.{name}" for name in (*_EVENT_FIELDS, *_LOAD))}
FROM (
{_EACH_EVENT}
) AS each
LEFT JOIN {{names}} AS named ON named.id = each.emitter_id""",  # noqa: S608
)

_NO_OBJECT: Final = (
    "left(ltrim(CAST({} AS VARCHAR), ' ' || chr(9) || chr(10) || chr(13)), 1) NOT IN ('{{{{', '[')"
)
ERRORS: Final = View(
    "errors",
    "One row per error of a workflow, taken apart.",
    {
        "emitted_at": time("When the error happened."),
        "workflow_id": text("Id of the workflow."),
        "workflow_name": text("Its newest name; null when unknown."),
        "step": text("Id of the step that failed."),
        "code": text("Code of the error, such as `ETIMEDOUT`."),
        "message": text("Message of the error."),
        "own_line": text(
            "First line of the stack in the user's or a component's code, else in a library."
        ),
        "stack": text("The whole stack."),
        "original_emitter_id": text("Id of the emitter whose event caused the error."),
        "original_emitter_name": text("Its newest name; null when unknown."),
        "original_event_id": text("Id of that event."),
        "original_event": json("The payload of that event."),
        **{name: EVENTS.fields[name] for name in ("emitter_id", "channel", "id", "event_seq")},
        "event": json("The payload of the error, from which the columns above come."),
        "event_state": WORKFLOW_ERRORS.fields["event_state"],
        **_LOAD,
    },
    # An error that is no object is its own message.
    f"""\
SELECT raised.emitted_at, raised.workflow_id,
    coalesce(workflow.name, raised.told_name) AS workflow_name,
    raised.step, raised.code, raised.message, {{own_line}} AS own_line, raised.stack,
    raised.original_emitter_id, source.name AS original_emitter_name,
    raised.original_event_id, raised.original_event,
    raised.emitter_id, raised.channel, raised.id, raised.event_seq, raised.event,
    raised.event_state, raised._dlt_load_id
FROM (
    SELECT emitted_at, emitter_id, channel, id, event_seq, event, event_state, _dlt_load_id,
        coalesce((event -> 'original_context') ->> 'workflow_id', emitter_id) AS workflow_id,
        (event -> 'original_context') ->> 'workflow_name' AS told_name,
        (event -> 'original_context') ->> 'emitter_id' AS original_emitter_id,
        (event -> 'original_context') ->> 'id' AS original_event_id,
        (event -> 'error') ->> 'cellId' AS step,
        (event -> 'error') ->> 'code' AS code,
        coalesce(
            (event -> 'error') ->> 'msg',
            (event -> 'error') ->> 'message',
            CASE WHEN {_NO_OBJECT.format("event -> 'error'")} THEN event ->> 'error' END,
            CASE WHEN {_NO_OBJECT.format("event")} THEN {{whole_text}} END
        ) AS message,
        (event -> 'error') ->> 'stack' AS stack,
        event -> 'original_event' AS original_event
    FROM {{workflow_errors}} AS workflow_errors
) AS raised
LEFT JOIN {{names}} AS workflow ON workflow.id = raised.workflow_id
LEFT JOIN {{names}} AS source ON source.id = raised.original_emitter_id""",  # noqa: S608
)
