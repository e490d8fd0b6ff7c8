"""Whatever JavaScript can emit is stored byte for byte, or kept in quarantine; nothing else fails.

Each payload stands between two plain rows of a stream of its own, so that it alone decides how
its page is read, and all of them stand in one page together.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.contract import Contract, Event, Reply, Stream, Warehouse, make

BASE = int(time.time() * 1000) - 3_600_000
TINY = b'{"n":1}'
# Too costly to take apart twice: they stand in streams of their own only.
ALONE = ("deeplists", "deepobjects", "large", "hugeid")

AGAIN = ["dc_together", "dc_cutemoji", "dc_utf8", "dc_emptyid"]

# Stored as they are, byte for byte.
FULL: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "zero": b"0",
    "minuszero": b"-0",
    "minuszerofloat": b"-0.0",
    "trailing": b"1.10",
    "exponent": b"1E+2",
    "huge": b"1e400",
    "power": b"1" + b"0" * 400,
    "digits": b"7" * 5_000,
    "digitsinside": b'{"a":[' + b"7" * 5_000 + b"]}",
    "int65": b'{"a":18446744073709551616,"b":-9223372036854775809}',
    "nan": b'{"a":NaN}',
    "infinity": b"[Infinity,-Infinity]",
    "emptytext": b'""',
    "text": b'"plain"',
    "list": b'[1,[2,{"a":[]}]]',
    "emptylist": b"[]",
    "emptyobject": b"{}",
    "nul": b'{"a\\u0000b":"\\u0000"}',
    "pair": b'"\\ud83d\\ude00"',
    "emoji": '"😀é\u2028\x7f"'.encode(),
    "spaces": b'{ "a" :\n\t[ 1 ,2 ] }',
    "duplicates": b'{"a":1,"a":2,"a":{"a":3}}',
    "case": b'{"Id":1,"ID":2,"id":3,"iD":4}',
    "dltkeys": b'{"_dlt_load_id":"x","_dlt_id":1,"emitter_id":"dc_evil","channel":"c","event":2}',
    "escapes": b'"\\u001b[31mred\\u001b[0m\\r\\n\\u0007"',
    "sql": b'"\'); DROP TABLE source_event_summaries; -- %s {} $1 ?"',
    "likerows": b'{"data":[{"id":"1-0"}],"page_info":{"end_cursor":"1-0"},"error":"no"}',
    "ownmetadata": b'{"metadata":{"name":"mine"}}',
    "brackets": b'"]}{[\\"]}\\\\"',
    "slash": b'"\\/\\b\\f"',
    "manykeys": json.dumps({f"key {n}": n for n in range(5_000)}).encode(),
    "deeplists": b"[" * 100_000 + b"]" * 100_000,
    "deepobjects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "large": b'{"text":"' + b"x" * 5_000_000 + b'"}',
}

# Stored with each half of a surrogate pair replaced, the original in quarantine.
REPAIRED: dict[str, tuple[bytes, bytes]] = {
    "cutemoji": (b'"so \\ud83d"', b'"so \\ufffd"'),
    "low": (b'{"a":["\\uDE00"]}', b'{"a":["\\ufffd"]}'),
    "lonekey": (b'{"\\ud800":"\\ud83d\\ude00"}', b'{"\\ufffd":"\\ud83d\\ude00"}'),
    "backslash": (b'"\\\\\\ud83d\\\\ud83d"', b'"\\\\\\ufffd\\\\ud83d"'),
    "largehalf": (b'"\\ud83d' + b"y" * 200_000 + b'"', b'"\\ufffd' + b"y" * 200_000 + b'"'),
}

# Rows that cannot be stored at all: quarantined whole.
UNSTORABLE: dict[str, bytes] = {
    "utf8": make(f"{BASE + 5}-0", b'{"a":"\xff\xfe"}').raw,
    "control": make(f"{BASE + 5}-0", b'"\x1b[31m"').raw,
    "notjson": make(f"{BASE + 5}-0", b"[1,]").raw,
    "uuid": make("0b7c1c1e-7a52-4f0a-9a4c-0d6f4f1f3b11").raw,
    "emptyid": make("").raw,
    "nullid": b'{"id":null,"event":1,"metadata":{"emit_id":"a"}}',
    "noid": b'{"event":1,"metadata":{}}',
    "numberid": b'{"id":1589486981597,"event":1,"metadata":{}}',
    "hugeid": make("9" * 10_000_000).raw,
    "path": make("../../etc/passwd").raw,
    "injection": make("' or 1=1; DROP TABLE quarantine; --").raw,
    "three": make("1589486981597-0-1").raw,
    "zeros": make("01589486981597-0").raw,
    "longms": make("1234567890123456-0").raw,
    "longseq": make(f"1589486981597-{'1' * 21}").raw,
    "digitsofothers": make("\u0661\u0662\u0663-\u0660").raw,
    "halfid": b'{"id":"\\ud83d","event":1,"metadata":{}}',
    "rownull": b"null",
    "rownumber": b"17",
    "rowlist": b"[1]",
    "rowtext": b'"text"',
}

# Metadata as sent, and the channel and emit id that are read from it.
METADATA: dict[str, tuple[bytes | None, str, str | None]] = {
    "mdnone": (None, "", None),
    "mdnull": (b"null", "", None),
    "mdtext": (b'"text"', "", None),
    "mdlist": (b"[1]", "", None),
    "mdother": (b'{"name":"other","emit_id":"e1"}', "other", "e1"),
    "mdtypes": (b'{"name":7,"emit_id":{"a":1}}', "", None),
    "mdhalfright": (b'{"name":null,"emit_id":"e2"}', "", "e2"),
    "mdnul": (b'{"name":"a\\u0000b","emit_id":"e\\u0000"}', "a\0b", "e\0"),
    "mdsql": (b'{"name":"\'; DROP TABLE x; --","emit_id":"x"}', "'; DROP TABLE x; --", "x"),
    "mdslash": (b'{"name":"a/b:c d","emit_id":"x","id":"own","ts":1}', "a/b:c d", "x"),
    "mdemoji": ('{"name":"😀","emit_id":"x"}'.encode(), "😀", "x"),
    "mdlong": (b'{"name":"' + b"n" * 100_000 + b'","emit_id":"x"}', "n" * 100_000, "x"),
}  # fmt: skip


@dataclass
class Loaded:
    """A workspace of strange streams after two loads."""

    warehouse: Warehouse
    before: dict[str, list[str]]
    plain: set[tuple[str, str, str]] = field(default_factory=set)


def odd_id(n: int) -> str:
    return f"{BASE + 1_000 + n}-0"


def neighbours(stream: Stream, middle: Event) -> None:
    stream.emit(f"{BASE}-0", TINY)
    stream.add(middle)
    stream.emit(f"{BASE + 9_000}-0", TINY)


def fill(contract: Contract) -> None:
    together = contract.stream("dc_together")
    everything = {**FULL, **{name: sent for name, (sent, _) in REPAIRED.items()}}
    for n, (name, payload) in enumerate(everything.items()):
        neighbours(contract.stream(f"dc_{name}"), make(odd_id(0), payload))
        if name not in ALONE:
            together.emit(odd_id(n), payload)
    for name, raw in UNSTORABLE.items():
        neighbours(contract.stream(f"dc_{name}"), Event(name, None, raw))
        if name not in ALONE:
            together.add(Event(name, None, raw))
    for name, (metadata, _, _) in METADATA.items():
        neighbours(contract.stream(f"dc_{name}"), make(odd_id(0), TINY, metadata=metadata))
    neighbours(contract.stream("dc_absent"), make(odd_id(0), None))
    nested = b'{"a":1,"metadata":{"emit_id":"in","name":"nested","emitter_id":"dc_nested"}}'
    neighbours(contract.stream("dc_nested"), make(odd_id(0), nested, metadata=None))


def shape(warehouse: Warehouse) -> dict[str, list[str]]:
    found = warehouse.rows(
        "SELECT table_name, list(column_name || ' ' || data_type ORDER BY ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = 'pipedream' "
        "AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\' GROUP BY 1"
    )
    return dict(found)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    with Contract() as contract:
        warehouse = Warehouse(tmp_path_factory.mktemp("payloads"), contract.url)
        contract.stream("dc_first").emit(f"{BASE}-0")
        assert warehouse.load().exit_code == 0
        told = Loaded(warehouse, shape(warehouse))
        fill(contract)
        again: dict[str, Any] = {"full_window": True, "source_ids": AGAIN}
        for arguments in ({}, again):
            report = warehouse.load(**arguments)
            assert report.exit_code == 0, report.as_dict()
        told.plain = {
            (s.emitter, s.channel, row.id)
            for s in contract.streams.values()
            for row in s.emitted
            if row.event == TINY and not s.emitter.startswith("dc_md")
        }
        yield told


def places(name: str, n: int) -> list[tuple[str, str]]:
    return [(f"dc_{name}", odd_id(0)), ("dc_together", odd_id(n))][: 1 if name in ALONE else 2]


def stored(loaded: Loaded, emitter: str, event_id: str) -> tuple:
    return loaded.warehouse.one(
        "SELECT event::VARCHAR, event_state FROM source_event_summaries "
        "WHERE emitter_id = ? AND id = ?",
        emitter,
        event_id,
    )


@pytest.mark.parametrize("name", FULL)
def test_a_payload_is_stored_byte_for_byte(loaded: Loaded, name: str) -> None:
    n = list(FULL).index(name)
    for emitter, event_id in places(name, n):
        event, state = stored(loaded, emitter, event_id)
        assert state == "full"
        assert event.encode() == FULL[name], f"{emitter}: {event[:80]!r}"


@pytest.mark.parametrize("name", REPAIRED)
def test_half_a_surrogate_pair_is_repaired_and_its_original_kept(loaded: Loaded, name: str) -> None:
    sent, expected = REPAIRED[name]
    n = list(REPAIRED).index(name) + len(FULL)
    for emitter, event_id in ((f"dc_{name}", odd_id(0)), ("dc_together", odd_id(n))):
        event, state = stored(loaded, emitter, event_id)
        assert (event.encode(), state) == (expected, "repaired")
        kept = loaded.warehouse.one(
            "SELECT raw, raw_encoding, truncated FROM quarantine WHERE emitter_id = ? AND id = ?",
            emitter,
            event_id,
        )
        assert sent in kept[0].encode()
        assert kept[1:] == ("utf8", False)


@pytest.mark.parametrize("name", UNSTORABLE)
def test_a_row_that_cannot_be_stored_is_quarantined_once(loaded: Loaded, name: str) -> None:
    raw = UNSTORABLE[name]
    for emitter, _ in places(name, 0):
        kept = loaded.warehouse.rows(
            "SELECT id, reason, truncated, "
            "CASE raw_encoding WHEN 'base64' THEN from_base64(raw) ELSE encode(raw) END "
            "FROM quarantine WHERE emitter_id = ? ",
            emitter,
        )
        mine = [row for row in kept if raw.startswith(row[3][:65_000])]
        assert len(mine) == 1, [row[:3] for row in kept]
        ((_, reason, truncated, text),) = mine
        assert reason
        assert (text == raw) is not truncated
        assert truncated == (len(raw) > 65_536)


def test_every_plain_row_beside_them_is_loaded(loaded: Loaded) -> None:
    assert loaded.plain <= set(loaded.warehouse.events())
    names = [*FULL, *REPAIRED, *UNSTORABLE, "absent", "nested"]
    assert len(loaded.plain) == 1 + 2 * len(names)
    rows = loaded.warehouse.one(
        "SELECT count(*) FROM source_event_summaries WHERE emitter_id = 'dc_together'"
    )
    assert rows == (len(FULL) + len(REPAIRED) - 3,)


def test_an_absent_payload_is_no_null_payload(loaded: Loaded) -> None:
    assert stored(loaded, "dc_absent", odd_id(0)) == (None, "missing")
    assert stored(loaded, "dc_null", odd_id(0)) == ("null", "full")


@pytest.mark.parametrize("name", METADATA)
def test_metadata_is_kept_and_names_the_channel(loaded: Loaded, name: str) -> None:
    sent, channel, emit_id = METADATA[name]
    row = loaded.warehouse.one(
        "SELECT metadata::VARCHAR, channel, emit_id, event::VARCHAR "
        "FROM source_event_summaries WHERE emitter_id = ? AND id = ?",
        f"dc_{name}",
        odd_id(0),
    )
    assert row == (None if sent is None else sent.decode(), channel, emit_id, TINY.decode())


def test_metadata_inside_the_event_is_found(loaded: Loaded) -> None:
    row = loaded.warehouse.one(
        "SELECT channel, emit_id FROM source_event_summaries "
        "WHERE emitter_id = 'dc_nested' AND id = ?",
        odd_id(0),
    )
    assert row == ("nested", "in")


def test_payloads_never_change_the_shape_of_a_table(loaded: Loaded) -> None:
    assert shape(loaded.warehouse) == loaded.before
    assert "event JSON" in loaded.before["source_event_summaries"]


def test_reading_windows_whole_again_doubles_nothing(loaded: Loaded) -> None:
    loaded.warehouse.events()
    count = "SELECT count(*), count(DISTINCT row_hash) FROM quarantine"
    every, distinct = loaded.warehouse.one(count)
    assert every == distinct


def test_a_source_that_ignores_event_name_is_not_read_twice(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.stream("dc_deaf").emit_many(20, BASE)
    contract.subscribe("dc_deaf", "special")
    contract.deaf_to_names.add("dc_deaf")
    # A byte order mark and a wrong content type are no reason to fail.
    marked = contract.stream("dc_marked")
    row = marked.emit(f"{BASE}-0")
    body = b'\xef\xbb\xbf{"data":[' + row.raw + b"]}"
    marked.answers = lambda _: Reply(body, headers={"Content-Type": "text/html"})
    report = warehouse.load()
    assert warehouse.events() == contract.emitted()
    assert report.exit_code == 0
    assert any("event_name" in warning for warning in report.tally.warnings)
    assert warehouse.status("dc_deaf", "verdict", channel="special") == ("unknown",)
