"""One event as the API shows it.

A row is rendered to JSON once, when it is emitted, in three parts; the middle one is the event's
text exactly as it was given, and may be shared between rows. What a call without `expand=event`
or with `include` gets is cut from the same parts when it is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipedream_source.sandbox.ids import EventId

# "The event data for events larger than 1KB may get truncated" (Get Source Events)
BRIEF_LIMIT = 1024
ERRORS = "$errors"
_METADATA = b',"metadata":'


@dataclass(frozen=True, slots=True)
class Row:
    """One retained event: where it stands in its stream, and its JSON in three parts."""

    key: EventId
    id: str
    indexed_at_ms: int
    head: bytes
    event: bytes
    tail: bytes

    @classmethod
    def build(
        cls, key: EventId, row_id: str, *, indexed_at_ms: int, event: bytes, metadata: bytes
    ) -> Row:
        """Render an event."""
        head = f'{{"id":{_quoted(row_id)},"indexed_at_ms":{indexed_at_ms},"event":'
        tail = _METADATA + metadata + b"}"
        return cls(key, row_id, indexed_at_ms, head.encode(), event, tail)

    @classmethod
    def verbatim(cls, key: EventId, row_id: str, text: bytes) -> Row:
        """Keep a row's whole text as given; it need not even be JSON."""
        return cls(key, row_id, key.ms, text, b"", b"")

    @property
    def is_verbatim(self) -> bool:
        """Whether the head is all there is."""
        return not self.tail

    def fields(self) -> dict[str, bytes]:
        """Return the row's fields as JSON texts."""
        return {
            "id": _quoted(self.id).encode(),
            "indexed_at_ms": b"%d" % self.indexed_at_ms,
            "event": self.event,
            "metadata": self.tail[len(_METADATA) : -1],
        }


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
            return row.head
        head = f'{{"id":{_quoted(row.id)},"e":'.encode()
        return head + row.event + b',"ts":%d,"k":"emit"}' % row.indexed_at_ms

    def pieces(self, rows: list[Row]) -> list[bytes]:
        """Return the bytes of a JSON array's inside, in pieces to be joined."""
        untouched = not self.nested and self.include is None and not self.exclude
        longest = BRIEF_LIMIT if not self.expand else None
        if self.errors and not self.expand:
            untouched = False
        pieces: list[bytes] = []
        for row in rows:
            fits = untouched and (longest is None or len(row.event) <= longest)
            if fits or row.is_verbatim:
                pieces += (row.head, row.event, row.tail, b",")
            else:
                pieces += (self._picked(row), b",")
        return pieces[:-1]

    def _picked(self, row: Row) -> bytes:
        picked = self._shown(row)
        names = [name for name in picked if self.include is None or name in self.include]
        pairs = [b'"%s":%s' % (n.encode(), picked[n]) for n in names if n not in self.exclude]
        return b"{" + b",".join(pairs) + b"}"

    def _shown(self, row: Row) -> dict[str, bytes]:
        shown = row.fields()
        if not self.expand and self.errors:
            return {name: shown[name] for name in ("id", "indexed_at_ms")}
        if not self.expand and len(shown["event"]) > BRIEF_LIMIT:
            return _shortened(shown, self.brief)
        if self.nested and shown["event"].startswith(b"{") and shown["event"] != b"{}":
            shown["event"] = shown["event"][:-1] + _METADATA + shown.pop("metadata") + b"}"
        return shown


def _shortened(shown: dict[str, bytes], brief: str) -> dict[str, bytes]:
    if brief == "cut":
        text = shown["event"][:BRIEF_LIMIT].decode(errors="ignore")
        return {**shown, "event": _quoted(text).encode()}
    gone = {"event"} if brief == "no_event" else {"event", "metadata"}
    return {name: text for name, text in shown.items() if name not in gone}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
