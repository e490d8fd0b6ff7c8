"""When an emitter that the API does not find any more has ended.

A deleted emitter answers 404 for ever. One such answer may be the API's mistake, so it takes
several polls over some time; an emitter that no complete list names either has ended at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipedream_source.settings import ENDED_AFTER_MS, ENDED_AFTER_POLLS, ENDED_ASKED_EVERY_MS

#: What `stream_status` says in place of a verdict of a stream that has ended.
ENDED = "ended"
_WORDS = 4
_COUNTING, _ENDED, _FORGOTTEN = "c", "e", "f"


@dataclass(frozen=True, slots=True)
class Absence:
    """Polls in a row to which the API answered that there is no such emitter.

    Attributes:
        polls: how many.
        since_ms, asked_ms: the first and the last of them, Unix ms.
        has_ended: they are enough: the stream is asked rarely.
        is_forgotten: the user asked to forget it: it is not asked unless something names it.
    """

    polls: int
    since_ms: int
    asked_ms: int
    has_ended: bool = False
    is_forgotten: bool = False

    def rests(self, now_ms: int) -> bool:
        """Tell whether the stream need not be asked now.

        It rests for as long again as it has been gone, a day at most: should the API not find
        anything for two hours, no stream is left alone for a day.
        """
        pause_ms = min(self.asked_ms - self.since_ms, ENDED_ASKED_EVERY_MS)
        return self.has_ended and 0 <= now_ms - self.asked_ms < pause_ms

    @property
    def was_gone(self) -> bool:
        """Whether the API said of a stream that ended that there is none; users forget any."""
        return self.has_ended and self.polls > 0


def one_more(before: Absence | None, at_ms: int, *, is_unlisted: bool) -> Absence:
    """Return the absence after another poll that found no emitter.

    Args:
        before: what is known so far.
        at_ms: the time of the poll, Unix ms.
        is_unlisted: the lists were read whole and do not name it.
    """
    polls, since_ms = (before.polls + 1, before.since_ms) if before else (1, at_ms)
    is_long = polls >= ENDED_AFTER_POLLS and at_ms - since_ms >= ENDED_AFTER_MS
    has_ended = is_unlisted or is_long or (before is not None and before.has_ended)
    # What the user asked to forget is only asked when something names it again.
    return Absence(polls, since_ms, at_ms, has_ended)


def forgotten(before: Absence | None, at_ms: int) -> Absence:
    """Return the absence of a stream that the user asked to forget.

    Args:
        before: what is known so far.
        at_ms: now, Unix ms.
    """
    polls = before.polls if before and before.has_ended else 0
    return Absence(polls, at_ms, at_ms, has_ended=True, is_forgotten=True)


def answered(before: Absence | None) -> Absence | None:
    """Return the absence of a stream that answers, though not so that it can be judged.

    What had ended is asked by each load from then on, and proves nothing until it is judged.
    """
    return replace(before, asked_ms=0) if before and before.has_ended else None


def pack(absence: Absence | None) -> str:
    """Write an absence as a short text."""
    if absence is None:
        return ""
    kind = _FORGOTTEN if absence.is_forgotten else _ENDED if absence.has_ended else _COUNTING
    return f"{kind} {absence.polls} {absence.since_ms} {absence.asked_ms}"


def unpack(text: str) -> Absence | None:
    """Read what `pack` wrote.

    Raises:
        ValueError: the text is no absence.
    """
    if not text:
        return None
    kind, *numbers = text.split()
    if len(numbers) != _WORDS - 1 or kind not in (_COUNTING, _ENDED, _FORGOTTEN):
        raise ValueError(f"{text!r} in the stored state is not an absence")
    polls, since_ms, asked_ms = map(int, numbers)
    return Absence(polls, since_ms, asked_ms, kind != _COUNTING, kind == _FORGOTTEN)
