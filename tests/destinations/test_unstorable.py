"""Events that Postgres cannot hold as they came: repaired, told, and kept as they came."""

import json
import time

import pytest

from pipedream_source.resources.arrow import items
from tests.destinations.served import Served
from tests.integration.contract import HOUR, Contract
from tests.integration.contract.server import make

pytestmark = pytest.mark.chaos
START = int(time.time() * 1000) - HOUR
DEEP = b"[" * 30_000 + b"]" * 30_000
# What was sent, and what the column holds; None where nothing can be held.
REPAIRED: dict[str, tuple[bytes, str | None]] = {
    "nul": (rb'{"a":"x\u0000y"}', '{"a": "x\ufffdy"}'),
    "nul_in_a_key": (rb'{"a\u0000":[{"\u0000b":1}]}', '{"a\ufffd": [{"\ufffdb": 1}]}'),
    "nul_behind_a_backslash": (rb'{"a":"\\\u0000"}', '{"a": "\\\\\ufffd"}'),
    "nul_and_half_a_pair": (rb'{"a":"\u0000\ud83d"}', '{"a": "\ufffd\ufffd"}'),
    "nan": (b'{"a":NaN,"b":[-Infinity, Infinity]}', '{"a": "NaN", "b": ["-Infinity", "Infinity"]}'),
    "huge": (b'{"a":1e200000, "NaN": "1e200000"}', '{"a": "1e200000", "NaN": "1e200000"}'),
    "tiny": (b"[1e-16384]", '["1e-16384"]'),
    "beyond_an_int": (b"0e99999999999", '"0e99999999999"'),
    "many_digits": (b"[" + b"9" * 131_073 + b"]", '["' + "9" * 131_073 + '"]'),
    "many_decimals": (b"0." + b"1" * 16_384, '"0.' + "1" * 16_384 + '"'),
    "deep": (DEEP, None),
}
# Close to what is refused, and held.
FULL: dict[str, tuple[bytes, str]] = {
    "an_escaped_backslash": (rb'{"a":"\\u0000"}', r'{"a": "\\u0000"}'),
    "words": (b'{"NaN":"Infinity NaN 1e200000"}', '{"NaN": "Infinity NaN 1e200000"}'),
    "large": (b'{"a":1e131071}', '{"a": 1' + "0" * 131_071 + "}"),
    "small": (b"[1.5e-16382]", "[0." + "0" * 16_381 + "15]"),
    "decimals": (
        b'{"a":1.10,"b":100000000000000000.25}',
        '{"a": 1.10, "b": 100000000000000000.25}',
    ),
    "a_pair": (rb'{"a":"\ud83d\ude00"}', '{"a": "\U0001f600"}'),
    "null": (b"null", "null"),
    "nested": (b"[" * 4_000 + b"]" * 4_000, "[" * 4_000 + "]" * 4_000),
    "controls": (rb'{"a":"\u0001\u001f\u007f\b"}', '{"a": "\\u0001\\u001f\x7f\\b"}'),
    "quotes": (
        rb"""{"a":"'; DROP \\' E'\\n' $1 %s {}"}""",
        r"""{"a": "'; DROP \\' E'\\n' $1 %s {}"}""",
    ),
}


def ident(name: str) -> str:
    return name.replace("_", "")


def test_each_is_stored_with_its_original(contract: Contract, served: Served) -> None:
    plain = contract.stream("dc_plain")
    plain.emit_many(5, START)
    sent = {}
    for number, (name, (payload, _)) in enumerate({**REPAIRED, **FULL}.items()):
        sent[name] = contract.stream(f"dc_{ident(name)}").emit(f"{START + number}-0", payload)
    report = served.load()
    assert (report.exit_code, report.error) == (0, None)
    found = {
        emitter: (event, state)
        for emitter, event, state in served.rows(
            "SELECT emitter_id, event::text, event_state FROM source_event_summaries"
        )
    }
    assert len(found) == len(sent) + 1
    for name, (_, whole) in FULL.items():
        assert found[f"dc_{ident(name)}"] == (whole, "full"), name
    originals = dict(served.rows("SELECT emitter_id, raw FROM quarantine"))
    assert len(originals) == len(REPAIRED)
    for name, (payload, expected) in REPAIRED.items():
        event, state = found[f"dc_{ident(name)}"]
        assert (event, state) == (expected, "repaired"), name
        assert payload.decode() in originals[f"dc_{ident(name)}"]
    assert served.load(fail_on_loss=True).exit_code == 0


def test_names_and_rows_that_are_no_json(contract: Contract, served: Served) -> None:
    """U+0000 in what becomes a text: a channel, an id of an emit, a name, a row of quarantine."""
    stream = contract.stream("dc_a")
    listed = contract.lists["/users/me/sources"][0]
    listed |= {"name": "a\0b", "configured_props": {"k\0": "v\0", "n": float("inf")}}
    row = make(f"{START}-0", b'{"n":1}', metadata=rb'{"name":"a\u0000b","emit_id":"\u0000"}')
    # The default channel's window shows it too; then it is polled by its own name.
    for shown in (stream, contract.stream("dc_a", "a\0b")):
        shown.add(row)
    contract.stream("dc_b").add(make(f"{START}-0", b'{"n":"\0"}'))
    report = served.load()
    assert (report.exit_code, report.error) == (0, None)
    events = "SELECT channel, emit_id, id, event_state FROM source_event_summaries"
    assert served.one(events) == ("a\ufffdb", "\ufffd", f"{START}-0", "repaired")
    found = dict(served.rows("SELECT emitter_id, raw_encoding FROM quarantine"))
    assert found == {"dc_a": "utf8", "dc_b": "base64"}
    name, props = served.one("SELECT name, configured_props FROM sources WHERE id = 'dc_a'")
    assert (name, props) == ("a\ufffdb", {"k\ufffd": "v\ufffd", "n": "Infinity"})


def test_a_time_that_no_calendar_has(contract: Contract, served: Served) -> None:
    """An id may name a year beyond 9999."""
    stream = contract.stream("dc_a")
    for event_id in ("253402300800000-0", "999999999999999-1", f"{START}-0"):
        stream.emit(event_id, json.dumps({"of": event_id}).encode())
    report = served.load()
    assert (report.exit_code, report.error) == (0, None)
    assert served.events().keys() == contract.emitted().keys()
    times = dict(served.rows("SELECT id, emitted_at IS NULL FROM source_event_summaries"))
    assert times == {"253402300800000-0": True, "999999999999999-1": True, f"{START}-0": False}


def test_a_column_of_another_type_is_named_before_anything_is_given_up(
    contract: Contract, served: Served
) -> None:
    """The package is of this version, and is loaded when the column is as it was."""
    stream = contract.stream("dc_a")
    stream.emit_many(3, START)
    assert served.load().exit_code == 0
    # Postgres keeps the type of a column that a view reads.
    served.execute("DROP VIEW IF EXISTS events CASCADE")
    served.execute("ALTER TABLE source_event_summaries ALTER COLUMN event_seq TYPE smallint")
    stream.emit(f"{START + 100_000}-99999")
    report = served.load()
    assert report.exit_code == 1
    said = str(report.error)
    assert 0 < said.index("changed the type of a column") < said.index("move it away")
    served.execute("ALTER TABLE source_event_summaries ALTER COLUMN event_seq TYPE bigint")
    assert served.load(fail_on_loss=True).exit_code == 0
    assert served.events().keys() == contract.emitted().keys()


def test_a_package_of_an_older_version(
    contract: Contract, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds what Postgres refuses: what to do is said, and does it."""
    stream, other = contract.stream("dc_a"), contract.stream("dc_b")
    stream.emit_many(3, START)
    assert served.load().exit_code == 0
    stream.emit(f"{START + 100_000}-0", rb'{"a":"\u0000"}')
    with monkeypatch.context() as patched:
        patched.setattr(items, "limits_of", lambda _: None)
        assert served.load().exit_code == 1
    other.emit_many(3, START + 200_000)
    report = served.load()
    assert report.exit_code == 1
    assert str(served.target.folder) in str(report.error)
    assert "move it away" in str(report.error)
    served.target.folder.rename(served.folder / "away")
    assert served.load(fail_on_loss=True).exit_code == 0
    assert served.events().keys() == contract.emitted().keys()
