"""Forget an emitter: its streams are asked no more, and their certificate ends; their rows stay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dlt
from dlt.extract import DltResource, DltSource

from pipedream_source.api.pages.walk import WindowWalk
from pipedream_source.core.streams.absence import ENDED, forgotten
from pipedream_source.core.streams.event_id import time_of
from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.resources.arrow.items import items_of
from pipedream_source.resources.polls.polling import Poll, Stream
from pipedream_source.resources.polls.side_rows import status_row
from pipedream_source.resources.schema.tables import STREAM_STATUS
from pipedream_source.resources.session.source_state import known_workflows, load_id, remember_load

States = dict[str, Any]


def forgetting(emitter_id: str) -> DltSource:
    """Return a source that marks an emitter's streams as forgotten, in the cursors and the tables.

    Args:
        emitter_id: a source or a workflow.
    """

    def stream_status() -> Iterator[Any]:
        resources = dlt.current.source_state().get("resources", {})
        found = [
            (Stream.from_key(key), states)
            for resource in resources.values()
            for states in [resource.get("streams", {})]
            for key in states
            if Stream.from_key(key).emitter_id == emitter_id
        ]
        workflow = known_workflows().get(emitter_id)
        if not found and workflow is None:
            raise ConfigurationError(
                f"{emitter_id}: no load into this dataset polled a stream of it; nothing to forget"
            )
        if workflow is not None:
            # Nothing names it now; its name and age stay, should something name it again.
            workflow["by"] = []
        remember_load()
        rows = [_forget(stream, states) for stream, states in found]
        yield items_of(STREAM_STATUS, rows, load_id())

    @dlt.source(name="pipedream", section="pipedream", max_table_nesting=0)
    def pipedream() -> DltResource:
        return dlt.resource(stream_status, name="stream_status")

    return pipedream()


def _forget(stream: Stream, states: States) -> dict[str, Any]:
    """Mark a stream's state, and return its row of `stream_status`."""
    now_ms = int(time.time() * 1000)
    try:
        before = load_state(states[stream.key])
    except ValueError:
        before = StreamState()
    state = replace(before, absence=forgotten(before.absence, now_ms), failures=0)
    states[stream.key] = dump_state(state)
    on = time_of(now_ms).isoformat(timespec="seconds")
    why = {"last_error": f"it was forgotten on request (on {on})"}
    return status_row(Poll(stream, WindowWalk(stream.channel)), state, ENDED) | why
