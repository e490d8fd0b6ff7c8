"""One event as the API shows it.

A row is rendered to JSON once, when it is emitted, in parts; one of them is the event's text
exactly as it was given, and may be shared between rows. Whatever a call asks for is a choice of
these parts: made once for the call, so that a row costs next to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar

import msgspec

from pipedream_source.sandbox.protocol.ids import EventId

# "The event data for events larger than 1KB may get truncated" (Get Source Events)
BRIEF_LIMIT = 1024
ERRORS = "$errors"
_METADATA = b',"metadata":'


@dataclass(frozen=True, slots=True)
class Row:
    """One retained event: where it stands in its stream, and its JSON in parts.

    Attributes:
        key: Its place.
        id: Its id, which may be none that has a place.
        indexed_at_ms: When it was indexed, in Unix milliseconds.
        opening: The bracket and the id; the whole text of a verbatim row.
        time: A comma and the time.
        head: Both of these up to the event's text.
        event: The event's text.
        tail: A comma, the metadata, the bracket and the comma; nothing in a verbatim row.
    """

    event_name: ClassVar[bytes] = b',"event":'
    end: ClassVar[bytes] = b"},"
    comma: ClassVar[bytes] = b","

    key: EventId
    id: str
    indexed_at_ms: int
    opening: bytes
    time: bytes
    head: bytes
    event: bytes
    tail: bytes

    @classmethod
    def build(
        cls, key: EventId, row_id: str, *, indexed_at_ms: int, event: bytes, metadata: bytes
    ) -> Row:
        """Render an event."""
        opening = f'{{"id":{_quoted(row_id)}'.encode()
        time = b',"indexed_at_ms":%d' % indexed_at_ms
        head, tail = opening + time + cls.event_name, _METADATA + metadata + cls.end
        return cls(key, row_id, indexed_at_ms, opening, time, head, event, tail)

    @classmethod
    def verbatim(cls, key: EventId, row_id: str, text: bytes) -> Row:
        """Keep a row's whole text as given; it need not even be JSON."""
        return cls(key, row_id, key.ms, text, b"", b"", b"", b"")

    @property
    def is_verbatim(self) -> bool:
        """Whether the opening is all there is."""
        return not self.tail

    @property
    def metadata(self) -> bytes:
        """The metadata's text."""
        return self.tail[len(_METADATA) : -len(self.end)]

    @property
    def start_of_event(self) -> bytes:
        """The beginning of the event's text, as a JSON string."""
        return msgspec.json.encode(self.event[:BRIEF_LIMIT].decode(errors="ignore"))

    @property
    def event_with_metadata(self) -> bytes:
        """The event, an object, with the metadata as its last member."""
        return self.event[:-1] + self.tail[:-1]


Parts = Callable[[Row], tuple[bytes, ...]]
_BARE = {"id": ("opening",), "indexed_at_ms": ("time",)}
_WHOLE = {**_BARE, "event": ("event_name", "event"), "metadata": ("tail",)}
_NESTED = {**_BARE, "event": ("event_name", "event_with_metadata")}
_BRIEF: dict[str, Mapping[str, tuple[str, ...]]] = {
    "no_event": {**_BARE, "metadata": ("tail",)},
    "no_metadata": _BARE,
    "cut": {**_WHOLE, "event": ("event_name", "start_of_event")},
}
_verbatim: Parts = attrgetter("opening", "comma")


@dataclass(frozen=True)
class View:
    """How a call wants its rows.

    Attributes:
        expand: Whether events come whole, whatever their size.
        include: The only fields wanted, or None for all.
        exclude: Fields not wanted.
        brief: What becomes of an event over 1 KB that is not expanded.
        nested: Whether metadata stands inside the event (`$errors` in one official page).
        errors: Whether the rows are of an `$errors` channel.
    """

    expand: bool = True
    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    brief: str = "no_event"
    nested: bool = False
    errors: bool = False

    def older(self, row: Row) -> bytes:
        """Return a row as the older reader shows it: the payload under `e`, `ts` in ms."""
        if row.is_verbatim:
            return row.opening
        return b'%s,"e":%s,"ts":%d,"k":"emit"}' % (row.opening, row.event, row.indexed_at_ms)

    def pieces(self, rows: list[Row]) -> list[bytes]:
        """Return the bytes of a JSON array's inside, in pieces to be joined."""
        fitting, large, nested = self._forms()
        longest = None if self.expand else BRIEF_LIMIT
        pieces: list[bytes] = []
        for row in rows:
            parts = fitting if longest is None or len(row.event) <= longest else large
            if self.nested and _is_filled_object(row.event):
                parts = nested
            pieces += parts(row) if row.tail else _verbatim(row)
        if pieces:
            pieces[-1] = pieces[-1][:-1]
        return pieces

    def _forms(self) -> tuple[Parts, Parts, Parts]:
        """Return the parts of a row that fits, of one over 1 KB, of one with nested metadata."""
        if self.errors and not self.expand:
            bare = self._wanted(_BARE)
            return bare, bare, bare
        whole, brief, nested = _WHOLE, _BRIEF[self.brief], _NESTED
        return self._wanted(whole), self._wanted(brief), self._wanted(nested)

    def _wanted(self, fields: Mapping[str, tuple[str, ...]]) -> Parts:
        names = [
            name
            for name in fields
            if (self.include is None or name in self.include) and name not in self.exclude
        ]
        parts = [part for name in names for part in fields[name]]
        if not parts:
            return lambda _: (b"{},",)
        if parts[:3] == ["opening", "time", "event_name"]:
            parts[:3] = ["head"]
        if parts[-1] != "tail":
            parts.append("end")
        read = _reader(parts)
        return read if names[0] == "id" else lambda row: _opened(read(row))


def _reader(parts: list[str]) -> Parts:
    """Return what reads these attributes; of a single one, the getter would make no tuple."""
    if len(parts) > 1:
        return attrgetter(*parts)
    return lambda row: (getattr(row, parts[0]),)


def _opened(parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Let parts that begin with a comma begin with a bracket."""
    return (b"{", parts[0][1:], *parts[1:])


def _is_filled_object(text: bytes) -> bool:
    return text.startswith(b"{") and text != b"{}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
