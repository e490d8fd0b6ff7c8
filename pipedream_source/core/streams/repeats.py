"""Notice an id that comes again with another event.

After a failover the server may give an id once more, to another event. Its key is taken then: the
first event stays stored, and the other has to be told of. Payloads are not kept, so a short digest
stands for the event of each remembered id, which are those of the last minute before the newest.
That is where a server that lost its newest events gives their ids again. An older id that comes
again is not noticed here.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from zlib import crc32

from pipedream_source.core.streams.event_id import EventId

Digests = Mapping[EventId, int]

_BYTES = 3  # one change in 16 million goes unnoticed
_CHARS = 4
_MASK = (1 << 8 * _BYTES) - 1
_NO_DIGEST = "." * _CHARS


def digest_of(event: bytes) -> int:
    """Return the digest of an event's text."""
    return crc32(event) & _MASK


def changed(known: Digests, shown: Digests) -> list[EventId]:
    """Return the ids that are known with another event than the one shown, ascending."""
    return sorted(i for i, digest in shown.items() if known.get(i, digest) != digest)


def keep(known: Digests, shown: Digests, remembered: Collection[EventId]) -> dict[EventId, int]:
    """Return the digests of the ids that are still remembered; what is shown counts.

    So an event that took the place of another is told of once.
    """
    return {i: d for i, d in {**known, **shown}.items() if i in remembered}


def pack_digests(digests: Digests, remembered: Iterable[EventId]) -> str:
    """Write digests as text, in the order of the remembered ids; empty if there are none."""
    ids = sorted(remembered)
    if not digests.keys() >= set(ids):
        return "".join(_pack(digests.get(i)) for i in ids) if digests else ""
    return _encode(b"".join(digests[i].to_bytes(_BYTES, "big") for i in ids))


def unpack_digests(text: str, remembered: Iterable[EventId]) -> dict[EventId, int]:
    """Read what `pack_digests` wrote for these ids.

    Raises:
        ValueError: the text is not theirs.
    """
    if not text:
        return {}
    ids = sorted(remembered)
    if len(text) != _CHARS * len(ids):
        raise ValueError("the stored state has digests of other ids")
    words = (text[at : at + _CHARS] for at in range(0, len(text), _CHARS))
    return {i: _unpack(w) for i, w in zip(ids, words, strict=True) if w != _NO_DIGEST}


def _pack(digest: int | None) -> str:
    if digest is None:
        return _NO_DIGEST
    return _encode(digest.to_bytes(_BYTES, "big"))


def _encode(digests: bytes) -> str:
    # Three bytes are four characters, so that the digests stand one after another.
    return urlsafe_b64encode(digests).decode()


def _unpack(word: str) -> int:
    return int.from_bytes(urlsafe_b64decode(word), "big")
