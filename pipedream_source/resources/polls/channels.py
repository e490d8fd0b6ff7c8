"""Take an answer apart by channel, so that each is judged by its own rows alone.

A call for a source's default channel may also return its other channels: the API does not say. A
row of one channel is no proof for another. A channel that is polled by itself is judged there; one
that nothing names is judged by what the answer shows of it, as a stream of its own.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from pipedream_source.api.pages.event_rows import EventRow
from pipedream_source.api.protocol import is_workflow
from pipedream_source.resources.polls.polling import Poll, Stream
from pipedream_source.settings import ERRORS_CHANNEL


def parts_of(poll: Poll, polled: Container[Stream]) -> Iterator[Poll]:
    """Yield what a poll brought of each channel, first that of the stream asked for.

    Args:
        poll: a walk that ended, or that failed on the way.
        polled: the streams that are polled by themselves.
    """
    stream, walk = poll.stream, poll.walk
    if not walk.is_mixed or (stream.channel == ERRORS_CHANNEL and is_workflow(stream.emitter_id)):
        # A workflow's errors have an address of their own: whatever comes is one.
        yield poll
        return
    # Where a name is asked for and not obeyed, the others are not wanted.
    named = [] if stream.channel else walk.rows
    rows: dict[str, list[EventRow]] = {stream.channel: []}
    for row in walk.rows:
        rows.setdefault(row.channel(stream.channel), []).append(row)
    beside = [
        Stream(stream.emitter_id, channel)
        for channel in dict.fromkeys(row.channel("") for row in named)
        if channel != stream.channel and Stream(stream.emitter_id, channel) not in polled
    ]
    for part in (stream, *beside):
        shown = walk.part(part.channel, rows[part.channel], is_alone=not beside)
        yield replace(poll, stream=part, walk=shown)
