"""Polls that were made before the extract began, so that nothing is asked for twice."""

from __future__ import annotations

from pipedream_source.api.pages.walk import Known
from pipedream_source.resources.polls.polling import Poll, Stream


class EarlyPolls:
    """Polls by stream, each with what was known of the stream when it was polled."""

    def __init__(self) -> None:
        """Begin without polls."""
        self._polls: dict[Stream, tuple[Known, Poll]] = {}

    def add(self, poll: Poll, known: Known) -> None:
        """Keep a poll for the extract."""
        self._polls[poll.stream] = known, poll

    def take(self, stream: Stream, known: Known) -> Poll | None:
        """Return, once, the poll that was kept of a stream, if it knew what is known now."""
        knew, poll = self._polls.pop(stream, (None, None))
        return poll if knew == known else None
