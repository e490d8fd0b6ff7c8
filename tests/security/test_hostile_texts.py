"""Whatever text the API sends is stored as it came, and does nothing: no path, SQL or terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipedream_source.resources.schema import tables
from pipedream_source.resources.schema.views import VIEWS
from tests.integration.contract import Contract, Reply, source
from tests.security.verbs import Step, Verbs

START = 1_700_000_000_000
HOSTILE = {
    "path": "../../../hostile-canary",
    "absolute path": "/tmp/hostile-canary",
    "path with NUL": "a\0/../hostile-canary",
    "SQL": "'; DROP TABLE pipedream.sources; --",
    "SQL identifier": '"; DELETE FROM pipedream.load_runs; --',
    "screen": "\x1b[2J\x1b[1;1Hcanary",
    "link": "\x1b]8;;https://evil.example\x07canary\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;Y2FuYXJ5\x07",
    "title": "\x1b]0;canary\x07",
    "8-bit escape": "\x9b2Jcanary",
    "bidi": "canary\u202egpj.exe\u2066x\u2069",
    "separators": "canary\u2028x\u2029y",
    "carriage return": "good\rError  canary",
    "new line": "good\nError  canary forged",
    "backspace": "canary\x08\x08\x7f",
    "tab": "a\tb",
    "markup": "[red]canary[/red][link=https://evil.example]x[/link]",
    "closing markup": "[/]canary[/bold]",
    "HTML": "<script>alert('canary')</script>",
    "format": "%s%n%(key)s{0}{key.__class__}${HOME}`id`",
    "formula": "=cmd|' /C calc'!A0",
    "long": "x" * 20_000,
    "emoji": "\U0001f600",
    "half a pair": "canary\ud83d",
    "JSON": '{"canary": [1',
}
SENDABLE = [text for text in HOSTILE.values() if text == text.encode("utf-8", "ignore").decode()]

# What rich itself writes to a terminal: colours, and the movements of a progress line.
OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[2K|\x1b\[1A|\r")
ACTING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\udc80-\udcff]"
)


def populate(contract: Contract) -> None:
    """Let every text that the API controls be hostile."""
    everything = list(HOSTILE.values())
    main = contract.stream("dc_a")
    for n, text in enumerate(everything):
        main.emit(f"{START + n}-0", json.dumps({text: text}).encode())
        main.emit(text)
        metadata = json.dumps({"name": text, "emit_id": text, text: text}).encode()
        main.emit(f"{START + 1000 + n}-0", metadata=metadata)
    for n, channel in enumerate(SENDABLE):
        contract.subscribe("dc_a", channel, listener=channel)
        contract.stream("dc_a", channel).emit(f"{START + n}-1")
    contract.subscribe("dc_a", HOSTILE["half a pair"])
    for n in range(len(everything)):
        contract.stream(f"dc_n{n}")
    contract.lists["/users/me/webhooks"] = [
        {"id": f"wh_{n}" if n % 2 else text, "name": text, "url": text, "description": text}
        for n, text in enumerate(everything)
    ]
    contract.orgs = ["o_a", *everything]
    contract.lists |= {"/orgs/o_a/sources": [], "/workspaces/o_a/subscriptions": []}
    workspace = {"id": "o_a", "orgname": HOSTILE["screen"], "name": HOSTILE["SQL"], "x": everything}
    contract.broken["/workspaces/o_a", 0] = Reply(json.dumps({"data": workspace}).encode())
    contract.stream("dc_c").emit_many(100, START)
    contract.stream("dc_c").answers = a_hostile_cursor
    contract.lists["/users/me/sources"] = [
        sneaky_source(f"dc_{name}", text)
        for name, text in (("a", ""), ("c", ""), *((f"n{n}", t) for n, t in enumerate(everything)))
    ]


def refusal(text: str) -> Callable[[dict[str, str]], Reply]:
    return lambda _: Reply(json.dumps({"error": text}).encode(), 403)


def refuse(contract: Contract) -> None:
    """List objects that cannot be used, and let emitters fail with every text."""
    for n, text in enumerate(HOSTILE.values()):
        contract.stream(f"dc_n{n}").answers = refusal(text)
        contract.lists["/users/me/sources"].append(sneaky_source(text, text))
        contract.lists["/users/me/subscriptions"].append(
            {"id": text, "emitter_id": text, "listener_id": text, "event_name": [text]}
        )


def a_hostile_cursor(query: dict[str, str]) -> Reply:
    info = {"end_cursor": HOSTILE["path"], "total_count": 1_000, HOSTILE["SQL"]: 1}
    n = len(query.get("after", ""))
    rows = [{"id": f"{START - 100 * n - k}-0", "event": k, HOSTILE["screen"]: k} for k in range(99)]
    return Reply(json.dumps({"page_info": info, "data": rows}).encode())


def sneaky_source(source_id: str, text: str) -> dict[str, Any]:
    fields = dict.fromkeys(("name", "name_slug", "component_id", "user_id", text), text)
    return source(source_id, **(fields | {"id": source_id}), configured_props={text: {text: text}})


# Done, failed, refused, some failed: but no crash of the program.
ENDS = {0, 1, 2, 3}
SHOWN = [
    *("load -vv", "load --json", "status", "status --json", "gaps", "gaps --json -v"),
    *("check", "check --json", "sources list", "sources list --jsonl", "sources get dc_n3 --json"),
    *("events list dc_a", "events list dc_n5 -v", "events list dc_a --json", "webhooks list"),
    *("subscriptions list", "users me", "workspaces get o_a", "api GET /sources/dc_n5/x -v"),
    *("search anar", "search a --json", 'sql from"sources"', 'sql from"sources" --jsonl'),
    *('sql from"source_event_summaries"', "events tail --emitter dc_a -n 100"),
    "events tail --emitter dc_a -n 100 --live --jsonl",
]
# A file or a pipe gets the rows as they are.
FOR_TERMINALS = [
    *("export sources --to jsonl -o -", "export source_event_summaries --to jsonl -o -"),
    'sql from"sources" --csv',
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Verbs:
    """A folder in which every verb was run, once to a pipe and once to a terminal."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "hostile-canary").write_text("untouched")
    verbs = Verbs(outside / "a" / "b", "")
    with Contract() as contract:
        populate(contract)
        verbs.url = contract.url
        steps: list[Step] = [(verb.split(), None) for verb in SHOWN]
        assert set(verbs.run(*steps)) <= ENDS
        refuse(contract)
        steps += [(verb.split(), None) for verb in FOR_TERMINALS]
        assert set(verbs.run(*steps, AS_TERMINAL="1", COLUMNS="100")) <= ENDS
    return verbs


def test_nothing_acts_on_the_terminal(world: Verbs) -> None:
    outputs = [path for path in world.said.iterdir() if path.suffix in (".out", ".err")]
    assert len(outputs) > 20
    for path in outputs:
        text = OURS.sub("", world.output(path.name))
        acting = {
            ascii(found[0]): text[max(found.start() - 60, 0) : found.end() + 20]
            for found in ACTING.finditer(text.replace("\t", ""))
        }
        assert acting == {}, path.name
        assert not re.search(r"^Error  canary", text, re.MULTILINE), path.name
        assert "Unexpected" not in text, path.name


def test_nothing_was_written_elsewhere(world: Verbs) -> None:
    outside = world.folder.parent.parent
    assert (outside / "hostile-canary").read_text() == "untouched"
    assert {path.name for path in outside.iterdir()} == {"hostile-canary", "a"}
    assert {path.name for path in (outside / "a").iterdir()} == {"b"}
    own = {"said", ".dlt", "pipedream_events.duckdb", "pipedream_events.duckdb.dlt"}
    assert {path.name for path in world.folder.iterdir()} <= own
    assert not Path("/tmp/hostile-canary").exists()
    assert [*world.folder.rglob("*canary*")] == []


def rows(world: Verbs, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(world.folder / "pipedream_events.duckdb"), read_only=True) as database:
        database.execute("SET search_path = 'pipedream'")
        return database.execute(query).fetchall()


def test_the_tables_stand(world: Verbs) -> None:
    found = {name for (name,) in rows(world, "SHOW TABLES")}
    ours = {t.name for t in vars(tables).values() if isinstance(t, tables.Table)}
    dlts = {"_dlt_loads", "_dlt_version", "_dlt_pipeline_state"}
    assert found == ours | dlts | VIEWS.keys()
    assert len(rows(world, "SELECT 1 FROM load_runs")) == 4


def test_rows_are_stored_as_they_came(world: Verbs) -> None:
    events = "FROM source_event_summaries WHERE emitter_id = 'dc_a'"
    stored = dict(rows(world, f"SELECT id, event::VARCHAR {events} AND channel = ''"))
    for n, text in enumerate(HOSTILE.values()):
        sent = json.dumps({text: text})
        if text in SENDABLE:
            assert stored[f"{START + n}-0"] == sent
        else:
            assert stored[f"{START + n}-0"] == sent.replace("\\ud83d", "\\ufffd")
    channels = {channel for (channel,) in rows(world, f"SELECT channel {events}")}
    assert set(SENDABLE) <= channels
    kept = {raw for (raw,) in rows(world, "SELECT raw FROM quarantine")}
    for text in SENDABLE:
        assert any(json.dumps(text) in raw for raw in kept), text[:50]


def test_names_are_stored_as_they_came(world: Verbs) -> None:
    """What neither UTF-8 nor every destination can hold becomes U+FFFD."""
    named = dict(rows(world, "SELECT id, name FROM sources"))
    for n, text in enumerate(HOSTILE.values()):
        assert named[f"dc_n{n}"] == re.sub("[\ud800-\udfff\x00]", "\ufffd", text)
