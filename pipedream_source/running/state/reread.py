"""The streams whose windows have to be read whole, until a load has done it.

They stand in the working folder: a stream that cannot be read now, or that this run does not
select, is read whole by a later one.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from pipedream_source.resources.polls.polling import Stream
from pipedream_source.running.destination.target import Target


def streams_to_reread(target: Target) -> set[Stream]:
    """Return the streams that are noted; all that can be read of the note."""
    try:
        keys = msgspec.json.decode(target.reread.read_bytes(), type=list[str])
    except (OSError, ValueError):
        return set()
    return {Stream.from_key(key) for key in keys}


def note_reread(target: Target, streams: Collection[Stream]) -> None:
    """Note these streams instead of those that are noted."""
    if streams:
        keys = sorted(stream.key for stream in streams)
        target.reread.write_bytes(msgspec.json.encode(keys))
    else:
        target.reread.unlink(missing_ok=True)


def add_to_reread(target: Target, streams: Collection[Stream]) -> None:
    """Note these streams too."""
    if streams:
        note_reread(target, streams_to_reread(target) | set(streams))
