"""Look before loading: ask everything, and tell whether a load would write anything but times.

dlt takes a second to import and another to load a package. A look needs neither: it compares what
the API says with the digests in the stored state. What it polled is handed to the load that
follows when there is news, so that nothing is asked for twice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Event
from typing import Any

from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from pipedream_source.resources.polls.outcome import Outcome, assess
from pipedream_source.resources.polls.polling import (
    Poll,
    Stream,
    in_turn,
    known_by,
    poll_all,
    remembered_streams,
    rests,
)
from pipedream_source.resources.session.discovery import Inventory, all_streams
from pipedream_source.resources.session.session import Session

#: What a look does not read (components) is read again after so long.
OBJECTS_FRESH_S = 3_600

#: The packed states of a resource's streams, by key, as they stand in the source's state.
States = dict[str, Any]


def look(
    session: Session, state: Mapping[str, Any], *, reads_objects: bool
) -> list[Outcome] | None:
    """Poll every stream, as long as nothing is new.

    Args:
        session: what to poll; it keeps what was polled for an extract that follows.
        state: the source's state as dlt stored it. The streams' states in it move on when nothing
            is new, and are left alone otherwise.
        reads_objects: whether the load that may follow reads the lists of objects.

    Returns:
        The outcomes of all polls when every list is byte for byte the last one, no window holds
        anything new and no stream has a failure to recover from; else None.

    Raises:
        PipedreamError: the key is wrong or the API cannot be reached.
    """
    session.client.redaction_salt = state.get("salt")
    inventory = session.account.take_inventory(state.get("workflows", {}))
    if inventory.failed_lists or (reads_objects and not _same_lists(inventory, state)):
        return None
    holders = _holders(state)
    states = {key: holder.get(key) for key, holder in holders.items()}
    listed = all_streams(inventory, session.selection, known=remembered_streams(states))
    now_ms = int(time.time() * 1000)
    streams = [s for s in listed if not rests(states.get(s.key), now_ms)]
    before = {s: _settled_state(holders, s) for s in streams if not session.is_read_whole(s)}
    if len(before) < len(streams) or None in before.values():
        return None
    outcomes = _outcomes_without_news(session, {s: b for s, b in before.items() if b})
    if len(outcomes) < len(streams):
        return None
    for outcome in outcomes:
        key = outcome.stream.key
        holders[key][key] = dump_state(outcome.state)
    session.tally.add_ended(len(listed) - len(streams))
    return outcomes


def _same_lists(inventory: Inventory, state: Mapping[str, Any]) -> bool:
    """Tell whether the lists are those of the last load that read all objects, not long ago."""
    objects = state.get("objects")
    if not isinstance(objects, dict) or objects.get("lists") != inventory.digest:
        return False
    read_at = objects.get("at")
    return isinstance(read_at, int | float) and 0 <= time.time() - read_at < OBJECTS_FRESH_S


def _holders(state: Mapping[str, Any]) -> dict[str, States]:
    """Return for each stream's key the dict that holds its state."""
    found = [resource.get("streams", {}) for resource in state.get("resources", {}).values()]
    return {key: states for states in found for key in states}


def _settled_state(holders: Mapping[str, States], stream: Stream) -> StreamState | None:
    """Return a stream's state if the same window again would change nothing of it but times."""
    packed = holders.get(stream.key, {}).get(stream.key)
    try:
        known = load_state(packed)
    except (ValueError, KeyError):
        return None
    is_odd = known.failures or known.absence
    return None if None in (known.shape, known.stretch) or is_odd else known


def _outcomes_without_news(session: Session, before: Mapping[Stream, StreamState]) -> list[Outcome]:
    """Poll until something is new; what says so, or was at work then, is handed on alone."""
    now_ms = int(time.time() * 1000)
    known = {stream: known_by(before[stream], now_ms) for stream in in_turn(before)}
    outcomes: list[Outcome] = []
    news = Event()
    workers = session.options.max_workers
    for poll in poll_all(session.client, [*known], known=known, max_workers=workers, enough=news):
        session.early_polls.add(poll, known[poll.stream])
        outcome = None if news.is_set() else _without_news(session, poll, before[poll.stream])
        if outcome is None:
            news.set()
        else:
            outcomes.append(outcome)
            session.tally.show_progress(len(outcomes), len(known))
    return outcomes


def _without_news(session: Session, poll: Poll, before: StreamState) -> Outcome | None:
    """Judge a poll; None if a load has to write more of it than times."""
    if poll.error or not (poll.walk.is_unchanged or poll.walk.is_partial):
        return None
    quiet_poll_s = session.options.quiet_poll_s
    outcome = assess(poll, before, full_window=False, since_ms=None, quiet_poll_s=quiet_poll_s)
    return None if outcome.rows or outcome.quarantine else outcome
