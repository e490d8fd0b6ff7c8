"""What is loaded: how many streams, how many events, how large, and the text of each.

The text follows from the numbers alone, so that the server and the check of what was loaded agree
without talking to each other. No id stands in two streams: peers key their rows on the id alone.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

#: The newest event of a first load has this time, Unix ms; each stream has ids of its own.
NEWEST_MS = 1_764_000_000_000
WINDOW = 100
LARGE_BYTES = 24_000
_WORDS = "the a new job run of feed step queue data key page item call late first again".split()
#: What differs between two events of a kind: ids, numbers, hashes.
_OWN = re.compile(rb'[0-9a-f]{16,}|\d{2,}|(?<=/)[A-Za-z]{5,}(?=")')


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to load.

    Attributes:
        name: as the command line and the tables call it.
        streams, events: how many streams, and how many events each window holds.
        nbytes: of one payload, about; real webhook payloads when `is_real`.
        fresh_streams, fresh_events: how many streams get how many events before the load with
            1% new.
        step_ms: between two events of a stream.
        is_varied: whether each event has ids, numbers and words of its own, as real ones do.
        large_every: every so many-th event is `LARGE_BYTES` long; 0 for none.
    """

    name: str
    streams: int
    events: int
    nbytes: int
    fresh_streams: int
    fresh_events: int
    is_real: bool = False
    step_ms: int = 20_000
    is_varied: bool = False
    large_every: int = 0

    @property
    def title(self) -> str:
        """Describe it for a table's head."""
        kind = "real payloads of some" if self.is_real else "payloads of"
        size = f"{self.nbytes // 1000} kB" if self.nbytes >= 1_000 else f"{self.nbytes} B"
        return f"{self.streams:,} streams x {self.events} events, {kind} {size}"


SMALL = Input("small", 1_000, 100, 300, fresh_streams=100, fresh_events=10)
REAL = Input("real", 200, 100, 8_000, fresh_streams=20, fresh_events=10, is_real=True)
LARGE = Input("large", 1, 100, 512_000, fresh_streams=1, fresh_events=1)
IDLE = Input("idle", 10_000, 5, 300, fresh_streams=50, fresh_events=10, step_ms=3_600_000)
KILOBYTE = Input("kilobyte", 1_000, 100, 1_000, fresh_streams=100, fresh_events=10)
QUICK = Input("quick", 200, 100, 300, fresh_streams=20, fresh_events=10)
GROWING = Input("growing", 200, 60, 300, fresh_streams=200, fresh_events=50)
VARIED = Input("varied", 200, 100, 8_000, 20, 10, is_real=True, is_varied=True)
MIXED = Input("mixed", 1_000, 100, 300, 100, 10, is_varied=True, large_every=1_000)
FEW = Input("few", 20, 100, 8_000, 2, 10, is_real=True, is_varied=True)
_ALL = (SMALL, REAL, LARGE, IDLE, KILOBYTE, QUICK, GROWING, VARIED, MIXED, FEW)
INPUTS = {one.name: one for one in _ALL}


def emitter_of(number: int) -> str:
    """Return the id of a stream's source."""
    return f"dc_{number:06d}"


def id_ms(given: Input, stream: int, place: int) -> int:
    """Return the time in an event's id; `place` counts from a stream's first event on."""
    return NEWEST_MS - (given.events - 1 - place) * given.step_ms + stream


@cache
def _real_payloads() -> tuple[bytes, ...]:
    """Return webhook payloads of 4 to 16 KB, as they were sent."""
    packed = files("pipedream_source.sandbox").joinpath("data", "github-webhooks.ndjson.gz")
    lines = gzip.decompress(packed.read_bytes()).splitlines()
    # Each line is {"type":…,"payload":…}: the payload's own text follows the last key.
    found = [line.partition(b'"payload":')[2][:-1] for line in lines]
    return tuple(payload for payload in found if 4_000 < len(payload) < 16_000)


def payload(given: Input, stream: int, place: int) -> bytes:
    """Return the text of one event."""
    if given.is_real:
        texts = _real_payloads()
        number = (stream * 31 + place) % len(texts)
        return _with_own_values(number, stream, place) if given.is_varied else texts[number]
    order = {
        "type": "order.created",
        "number": place,
        "customer": {"id": f"cus_{stream:06d}", "country": "NL"},
        "items": [{"sku": f"A-{place % 7}", "count": 1}, {"sku": "B-2", "count": 3}],
        "total": 1_995 + place,
        "note": "",
    }
    text = json.dumps(order, separators=(",", ":"))
    # The note fills it up to the size.
    is_large = given.large_every and (stream * WINDOW + place) % given.large_every == 0
    size = max((LARGE_BYTES if is_large else given.nbytes) - len(text), 1)
    note = _words(size, stream, place) if given.is_varied else "x" * size
    return f'{text[:-2]}{note}"}}'.encode()


@cache
def _parts(number: int) -> tuple[list[bytes], list[bytes]]:
    """Split a real payload into what is the same in each event of its kind, and what is not."""
    text = _real_payloads()[number]
    return _OWN.split(text), _OWN.findall(text)


def _with_own_values(number: int, stream: int, place: int) -> bytes:
    """Return a real payload with other ids, numbers and hashes; equal ones stay equal."""
    same, own = _parts(number)
    drawn = Random(stream * 1_000_003 + place)  # noqa: S311 - for variety only
    new = {}
    for old in dict.fromkeys(own):
        digits = b"%0*x" % (len(old), drawn.getrandbits(4 * len(old)))
        if old.isdigit():
            # No leading zero, which JSON does not have.
            digits = b"%d" % drawn.randrange(10 ** (len(old) - 1), 10 ** len(old))
        new[old] = digits
    pairs = zip(same, [*(new[old] for old in own), b""], strict=True)
    return b"".join(part for pair in pairs for part in pair)


def _words(size: int, stream: int, place: int) -> str:
    """Return a text of words and numbers, of that many characters."""
    drawn = Random(stream * 1_000_003 + place)  # noqa: S311 - for variety only
    count = size // 7 + 1
    text = " ".join(f"{drawn.choice(_WORDS)} {drawn.randrange(10_000)}" for _ in range(count))
    return text[:size]


def metadata(stream: int, place: int) -> bytes:
    """Return the text of one event's metadata."""
    value = {"emit_id": f"e{stream:06d}{place:06d}", "name": "", "emitter_id": emitter_of(stream)}
    return json.dumps(value, separators=(",", ":")).encode()


def everything(given: Input, *, with_fresh: bool) -> Iterator[tuple[int, int]]:
    """Yield (stream, place) of each event that a client could have seen."""
    for stream in range(given.streams):
        fresh = given.fresh_events if with_fresh and stream < given.fresh_streams else 0
        yield from ((stream, place) for place in range(given.events + fresh))


def truth(given: Input, *, with_fresh: bool) -> dict[str, int]:
    """Return what a complete load holds: rows, bytes of payload, and a sum over all payloads."""
    rows = nbytes = digest = 0
    for stream, place in everything(given, with_fresh=with_fresh):
        text = payload(given, stream, place)
        rows += 1
        nbytes += len(text)
        digest ^= int.from_bytes(hashlib.md5(text, usedforsecurity=False).digest()[:7], "big")
    return {"rows": rows, "bytes": nbytes, "digest": digest}
