"""Events of every kind that JavaScript can emit, and rows that no program should send."""

from __future__ import annotations

import json

from tests.faults.fault import Fault, Victim

# What is sent, and stored byte for byte.
STORED: dict[str, tuple[str, bytes]] = {
    "null": ("an event that is `null`", b"null"),
    "text": ("a string", b'"plain"'),
    "number": ("a number", b"17"),
    "list": ("a list", b'[1,[2,{"a":[]}]]'),
    "bool": ("`true`", b"true"),
    "emptyObject": ("`{}`", b"{}"),
    "minusZero": ("-0", b"-0"),
    "huge": ("10^400", b"1" + b"0" * 400),
    "exponent": ("1e400", b"1e400"),
    "digits": ("an integer of 5,000 digits", b'{"a":' + b"7" * 5_000 + b"}"),
    "int65": ("integers over 64 bits", b'{"a":18446744073709551616,"b":-9223372036854775809}'),
    "nan": ("NaN and the infinities", b'{"a":[NaN,Infinity,-Infinity]}'),
    "nul": ("NUL in a key and a value", b'{"a\\u0000b":"\\u0000"}'),
    "emoji": ("an emoji, written and escaped", '["😀","\\ud83d\\ude00"]'.encode()),
    "separators": ("line separators", '"\u2028\u2029\x7f"'.encode()),
    "deepLists": ("lists 100,000 levels deep", b"[" * 100_000 + b"]" * 100_000),
    "deepObjects": ("objects 100,000 levels deep", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "manyKeys": ("5,000 keys", json.dumps({f"key {n}": n for n in range(5_000)}).encode()),
    "sameKeys": ("a key three times", b'{"a":1,"a":2,"a":{"a":3}}'),
    "caseKeys": ("keys that differ in case only", b'{"Id":1,"ID":2,"id":3,"iD":4}'),
    "ourKeys": ("keys of our own tables", b'{"_dlt_load_id":"x","_dlt_id":1,"emitter_id":"dc_x"}'),
    "rowKeys": ("an event that looks like a page", b'{"data":[{"id":"1-0"}],"error":"no"}'),
    "sql": ("SQL", b'"\'); DROP TABLE source_event_summaries; -- %s {} $1 ?"'),
    "escapes": ("terminal escapes", b'"\\u001b[31mred\\u001b[0m\\u0007"'),
    "spaces": ("blanks within JSON", b'{ "a" :\n\t[ 1 ,2 ] }'),
    "brackets": ("brackets in a string", b'"]}{[\\"]}\\\\"'),
    "large": ("an event of 5 MB", b'{"text":"' + b"x" * 5_000_000 + b'"}'),
}
LARGE = ("deepLists", "deepObjects", "large")
# What is sent and how it is stored; the original stands in quarantine.
REPAIRED: dict[str, tuple[str, bytes, bytes]] = {
    "cutEmoji": ("a string cut inside an emoji", b'"so \\ud83d"', b'"so \\ufffd"'),
    "lowHalf": ("the second half of a pair", b'{"a":["\\uDE00"]}', b'{"a":["\\ufffd"]}'),
    "halfKey": ("a key cut inside an emoji", b'{"\\ud800":1}', b'{"\\ufffd":1}'),
}
_META = b'"metadata":{"emit_id":"e"}'
# Rows of which nothing but their bytes can be kept.
UNSTORABLE: dict[str, tuple[str, bytes, str]] = {
    "noUtf8": ("bytes that are not UTF-8", b'"id":"%s","event":"\xff\xfe"', "not valid UTF-8 JSON"),
    "control": ("a raw control character", b'"id":"%s","event":"\x1b"', "not valid UTF-8 JSON"),
    "notJson": ("an event that is no JSON", b'"id":"%s","event":[1,]', "not valid UTF-8 JSON"),
    "leadingZero": ("a number with a leading zero", b'"id":"%s","event":017', "not valid UTF-8"),
    "undefined": ("`undefined`", b'"id":"%s","event":undefined', "not valid UTF-8 JSON"),
}
NO_ROW = {"rowNull": b"null", "rowNumber": b"17", "rowList": b"[1]", "rowText": b'"text"'}
METADATA: dict[str, tuple[str, bytes | None, str]] = {
    "metaNone": ("no metadata", None, ""),
    "metaNull": ("metadata: null", b"null", ""),
    "metaText": ("metadata a string", b'"text"', ""),
    "metaList": ("metadata a list", b"[1]", ""),
    "metaTypes": ("metadata of other types", b'{"name":7,"emit_id":{"a":1}}', ""),
    "metaName": ("metadata that names another channel", b'{"name":"other","emit_id":"e"}', "other"),
    "metaNul": ("a channel with a NUL", b'{"name":"a\\u0000b","emit_id":"e"}', "a\0b"),
    "metaSql": ("a channel of SQL", b'{"name":"\'; DROP TABLE x; --"}', "'; DROP TABLE x; --"),
    "metaLong": ("a channel of 100 KB", b'{"name":"' + b"n" * 100_000 + b'"}', "n" * 100_000),
    "metaEscapes": ("a channel of escapes", b'{"name":"\\u001b[2J"}', "\x1b[2J"),
}
INDEXED = {
    "indexedText": b'"soon"',
    "indexedNull": b"null",
    "indexedFloat": b"1.5",
    "indexedMinus": b"-1",
    "indexedHuge": b"9" * 30,
    "indexedDigits": b"7" * 5_000,
    "indexedYear": b"999999999999999999",
}


def beside(victim: Victim) -> None:
    """Emit a plain event behind the odd one."""
    victim.emit()


def stored(name: str, happens: str, event: bytes) -> Fault:
    def inject(victim: Victim) -> None:
        victim.emit(event)
        beside(victim)

    return Fault(name, happens, inject, is_long=name == "deepObjects")


def repaired(name: str, happens: str, event: bytes, expected: bytes) -> Fault:
    def inject(victim: Victim) -> None:
        victim.emit(event, stored=expected)
        beside(victim)

    return Fault(name, happens, inject, aside=("lone surrogates were replaced",))


def unstorable(name: str, happens: str, parts: bytes, reason: str) -> Fault:
    def inject(victim: Victim) -> None:
        victim.show(b"{%s,%s}" % (parts % victim.next_id().encode(), _META))
        beside(victim)

    return Fault(name, happens, inject, aside=(reason,))


def no_row(name: str, raw: bytes) -> Fault:
    def inject(victim: Victim) -> None:
        victim.show(raw)
        beside(victim)

    happens = f"`{raw.decode()}` in the place of a row"
    return Fault(name, happens, inject, aside=("the row is not an object",))


def described(name: str, happens: str, metadata: bytes | None, channel: str) -> Fault:
    def inject(victim: Victim) -> None:
        victim.emit(metadata=metadata, channel=channel)
        beside(victim)

    return Fault(name, happens, inject)


def indexed(name: str, value: bytes) -> Fault:
    def inject(victim: Victim) -> None:
        victim.show(b'{"id":"{id}","indexed_at_ms":%s,"event":7,%s}' % (value, _META), stored=b"7")
        beside(victim)

    shown = value[:20].decode() + ("…" if len(value) > 20 else "")
    return Fault(name, f"`indexed_at_ms: {shown}`", inject)


def absent(victim: Victim) -> None:
    victim.emit(None)
    beside(victim)


def nested(victim: Victim) -> None:
    """Nest the metadata inside the event, as one official page shows it."""
    inner = b'{"a":1,"metadata":{"emit_id":"e","name":"","emitter_id":"dc_x"}}'
    victim.emit(inner, metadata=None)
    beside(victim)


def unknown_fields(victim: Victim) -> None:
    row = b'{"v":2,"id":"{id}","k":"x","event":{"a":1},"ID":"9-9",%s,"nested":{"id":"8-8"}}' % _META
    victim.show(row, stored=b'{"a":1}')
    beside(victim)


def same_member_twice(victim: Victim) -> None:
    victim.show(b'{"id":"1-1","id":"{id}","event":1,"event":2,%s}' % _META, stored=b"2")
    beside(victim)


def all_at_once(victim: Victim) -> None:
    """Put one of each into one page, but for the large ones."""
    for name, (_, event) in STORED.items():
        if name not in LARGE:
            victim.emit(event)
    for _, event, expected in REPAIRED.values():
        victim.emit(event, stored=expected)
    for _, parts, _ in UNSTORABLE.values():
        victim.show(b"{%s,%s}" % (parts % victim.next_id().encode(), _META))
    for raw in NO_ROW.values():
        victim.show(raw)
    beside(victim)


FAULTS = (
    *(stored(name, *parts) for name, parts in STORED.items()),
    Fault("absent", "an event without `event`", absent),
    *(repaired(name, *parts) for name, parts in REPAIRED.items()),
    *(unstorable(name, *parts) for name, parts in UNSTORABLE.items()),
    *(no_row(name, raw) for name, raw in NO_ROW.items()),
    *(described(name, *parts) for name, parts in METADATA.items()),
    Fault("metaNested", "metadata inside the event", nested),
    *(indexed(name, value) for name, value in INDEXED.items()),
    Fault("unknownFields", "fields nobody documented", unknown_fields),
    Fault("twice", "a member twice: the last counts", same_member_twice),
    Fault(
        "allAtOnce",
        "one of each of these in one page",
        all_at_once,
        aside=(
            *("lone surrogates",) * len(REPAIRED),
            *("not valid UTF-8",) * len(UNSTORABLE),
            *("the row is not an object",) * len(NO_ROW),
        ),
    ),
)
