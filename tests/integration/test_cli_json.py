"""What says that it is JSON is JSON, with payloads and numbers as they were sent."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, Command, id_of, parse_strictly
from tests.integration.holding import EMITTER, holding

#: What no value of Python holds as it was sent.
PAYLOADS = (
    '{"huge":1e400,"tiny":-1e-400}',
    '{"price":1.10,"zero":-0,"exact":100000000000000000.25,"one":1E+2,"id":9007199254740993}',
    '{"twice":1,"twice":2.50,"twice":{"a":1.0,"a":null}}',
    '{"a.b":1,"\\"":2,"[0]":3,"":4,"\\u0000":"\\u0000","\\ud83d\\ude00":"caf\\u00e9\\/x"}',
    f'{{"digits":{"9" * 5_000}}}',
    "[" * 3_000 + "]" * 3_000,
    "1.10",
    '"text"',
    "null",
    "[]",
)
#: What DuckDB stores though it is no JSON, and what is written for it.
NO_JSON = {
    '{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN"}': (
        '{"a":"NaN","b":["Infinity","-Infinity"],"c":"NaN"}'
    ),
    "NaN": '"NaN"',
    '{"say \\"NaN":NaN}': '{"say \\"NaN":"NaN"}',
    "[1,]": '"[1,]"',
}


def written(command: Command, *words: str) -> list[str]:
    """Run a verb that writes a line for each event, and return the lines."""
    done = command.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ["sql", "select event from source_event_summaries order by event_seq", "--jsonl"],
        ["events", "tail", "--emitter", EMITTER, "-n", "100", "--columns", "event", "--jsonl"],
        ["export", "source_event_summaries", "--to", "jsonl", "-o", "-"],
    ],
)
def test_payloads_are_as_they_were_sent(words: list[str], tmp_path: Path) -> None:
    payloads = {**dict(zip(PAYLOADS, PAYLOADS, strict=True)), **NO_JSON}
    lines = written(holding(tmp_path, *payloads), *words)
    assert len(lines) == len(payloads)
    for line, payload in zip(lines, payloads.values(), strict=True):
        assert f'"event":{payload}' in line
        if len(payload) < 2_000:
            parse_strictly(line)


def test_a_document_is_json_too(tmp_path: Path) -> None:
    payloads = [payload for payload in (*PAYLOADS, *NO_JSON) if len(payload) < 2_000]
    command = holding(tmp_path, *payloads)
    query = "select event from source_event_summaries order by event_seq"
    shown = command.run("sql", query, "--json").stdout
    assert '      "price": 1.10,\n      "zero": -0,\n' in shown
    assert '"twice": 1,\n      "twice": 2.50,' in shown
    for rows in (command.json("sql", query), command.json("events", "tail", "--emitter", EMITTER)):
        assert rows[-1]["event"] == "[1,]"
        assert rows[-3]["event"] == "NaN"


def test_events_of_the_api_are_as_they_were_sent(tmp_path: Path) -> None:
    payloads = [*PAYLOADS[:4], *PAYLOADS[6:]]
    with Sandbox() as sandbox:
        command = Command(tmp_path, sandbox)
        source = id_of(sandbox, "GitHub code")
        for payload in payloads:
            sandbox.emit(source, event_text=payload)
        sandbox.emit(source, event_text='{"n":NaN}')
        count = len(payloads) + 1
        for words in (
            ["events", "list", source, "--max", str(count), "--jsonl"],
            ["events", "tail", "--live", "--emitter", source, "-n", str(count), "--jsonl"],
        ):
            lines = written(command, *words)
            lines = lines[::-1] if "list" in words else lines
            for line, payload in zip(lines, [*payloads, '{"n":"NaN"}'], strict=True):
                assert f'"event":{payload}' in line
                parse_strictly(line)
        rows = command.json("events", "list", source, "--max", str(count))
        assert rows[0]["event"] == {"n": "NaN"}


def test_numbers_of_objects_are_as_they_were_sent(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        source = id_of(sandbox, "GitHub code")
        props = '{"price":1.10,"huge":1e400,"zero":-0,"id":9007199254740993}'
        sandbox.fault(
            path=f"/v1/sources/{source}",
            status=200,
            body=f'{{"data":{{"id":"{source}","configured_props":{props},"odd":NaN}}}}',
        )
        command = Command(tmp_path, sandbox)
        (line,) = written(command, "sources", "show", source, "--jsonl")
        assert f'"configured_props":{props},"odd":"nan"' in line
        columns = "id,configured_props.price,configured_props.huge"
        told = written(command, "sources", "show", source, "--columns", columns)
        assert told[1:] == ["configured_props.price\t1.10", "configured_props.huge\t1e400"]


@pytest.mark.parametrize(
    ("expression", "json"),
    [
        ("1.10::DECIMAL(5,2)", "1.10"),
        ("12345678901234567890.123456::DECIMAL(38,6)", "12345678901234567890.123456"),
        ("340282366920938463463374607431768211455::UHUGEINT", str(2**128 - 1)),
        ("'nan'::DOUBLE", '"nan"'),
        ("'-inf'::DOUBLE", '"-inf"'),
        ("'inf'::FLOAT", '"inf"'),
    ],
)
def test_numbers_of_columns(expression: str, json: str, tmp_path: Path) -> None:
    command = holding(tmp_path)
    with duckdb.connect(str(tmp_path / DATABASE)) as database:
        database.execute(f"CREATE TABLE pipedream.numbers AS SELECT {expression} AS n")
    assert written(command, "sql", "from numbers", "--jsonl") == [f'{{"n":{json}}}']
    assert written(command, "export", "numbers", "--to", "jsonl", "-o", "-") == [f'{{"n":{json}}}']


def test_nested_columns_hold_no_bare_nan(tmp_path: Path) -> None:
    command = holding(tmp_path)
    with duckdb.connect(str(tmp_path / DATABASE)) as database:
        database.execute("CREATE TABLE pipedream.nested AS SELECT ['nan'::DOUBLE, 1.5] AS n")
    found: list[Any] = [
        parse_strictly(line)
        for words in (
            ["sql", "from nested", "--jsonl"],
            ["export", "nested", "--to", "jsonl", "-o", "-"],
        )
        for line in written(command, *words)
    ]
    assert found == [{"n": ["nan", 1.5]}, {"n": ["NaN", 1.5]}]
