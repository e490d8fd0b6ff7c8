"""`sql`: one query, read-only, sealed off from everything but the database."""

import csv
import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from tests.destinations.holding import held
from tests.integration.command import DATABASE, Command
from tests.integration.invoking import on_terminal


def test_a_question_and_its_answer(stored: Command) -> None:
    query = "select channel, count(*) as n from workflow_errors group by all"
    with duckdb.connect(str(stored.folder / DATABASE), read_only=True) as database:
        database.execute("SET schema = 'pipedream'")
        truth = database.execute(query).fetchall()
    assert truth
    assert stored.json("sql", query) == [{"channel": c, "n": n} for c, n in truth]
    lines = stored.run("sql", query, "--jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [{"channel": c, "n": n} for c, n in truth]
    rows = list(csv.reader(stored.run("sql", query, "--csv").stdout.splitlines()))
    assert rows == [["channel", "n"], *([c, str(n)] for c, n in truth)]
    piped = stored.run("sql", query)
    assert piped.stdout.splitlines() == [f"{c}\t{n}" for c, n in truth]
    none = stored.run("sql", "select 1 where false", "--csv")
    assert (none.returncode, none.stdout) == (0, "1\n")


def test_json_is_json_and_numbers_are_numbers(stored: Command) -> None:
    query = (
        "select 1.5 as a, 2 as a, 'NaN'::double as n, null as x, 12 as seen_at, "
        "[date '2026-01-02'] as d, 0.1234567890123456789 as long, "
        "{'k': 'v'}::json as j, '\\xC3'::blob as b"
    )
    (row,) = stored.json("sql", query)
    assert row == {
        **{"a": 1.5, "a_1": 2, "n": "nan", "x": None, "seen_at": 12, "d": ["2026-01-02"]},
        **{"long": 0.12345678901234568, "j": {"k": "v"}, "b": "c3"},
    }
    (line,) = stored.run("sql", query, "--jsonl").stdout.splitlines()
    assert '"long":0.1234567890123456789,' in line
    shown = stored.run("sql", query).stdout.rstrip("\n").split("\t")
    assert shown[:5] == ["1.5", "2", "nan", "", "12"]


def test_where_the_statement_stands(stored: Command, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("-- how many\nselect count(*) as n\nfrom stream_status;\n", encoding="utf-8")
    (from_file,) = stored.json("sql", "--file", str(file))
    assert from_file["n"] == 27
    for words in ([], ["-"], ["--file", "-"]):
        piped = CliRunner().invoke(
            app, ["sql", *words, "--database", str(stored.folder / DATABASE)], "select 7 as n"
        )
        assert (piped.exit_code, piped.stdout) == (0, "7\n"), piped.stderr
    for wrong in (["select 1", "--file", str(file)], ["select 1", "--csv", "--json"], [" "]):
        assert stored.run("sql", *wrong).returncode == 2
    missing = stored.run("sql", "--file", str(tmp_path / "none.sql"))
    assert (missing.returncode, "none.sql" in missing.stderr) == (2, True)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select * frm stream_status", "line 1, column 14"),
        ("select id,\n  nosuch\nfrom workflow_errors", "line 2, column 3"),
        ("select * from nosuch", "name nosuch"),
        ("select cast('x' as int)", "line 1"),
        ("select 1; select 2", "not 2"),
        ("/* nothing */", "not 0"),
    ],
)
def test_what_is_wrong_is_pointed_at(query: str, told: str, stored: Command) -> None:
    done = stored.run("sql", query, COLUMNS="500")
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    if "line" in told:
        assert "^" in done.stderr
    assert stored.json("sql", query, code=2)["exit_code"] == 2


@pytest.mark.parametrize(
    "query",
    [
        "delete from workflow_errors",
        "with x as (delete from workflow_errors returning *) select * from x",
        "explain analyze delete from workflow_errors",
        "create table t as select 1",
        "copy workflow_errors to 'out.csv'",
        "attach 'other.duckdb'",
        "select * from read_text('secret.txt')",
        "from 'secret.txt'",
        "from read_csv('http://127.0.0.1:9/x')",
        "select * from glob('*')",
        "set enable_external_access = true",
        "pragma enable_profiling",
        "install httpfs",
        "load httpfs",
        "export database 'out'",
        "from rows",
        "from statement",
    ],
)
def test_it_reads_the_database_and_nothing_else(query: str, stored: Command) -> None:
    (stored.folder / "secret.txt").write_text("canary", encoding="utf-8")
    before = {path.name for path in stored.folder.iterdir()}
    content = (stored.folder / DATABASE).read_bytes()
    done = stored.run("sql", query)
    assert done.returncode == 2, done.stdout
    assert "canary" not in done.stdout + done.stderr
    assert {path.name for path in stored.folder.iterdir()} == before
    assert (stored.folder / DATABASE).read_bytes() == content


def test_what_data_say_does_nothing_to_a_terminal(stored: Command) -> None:
    query = "select event ->> '$.a' as a, event from source_event_summaries where event ? 'twice'"
    query = query.replace("event ? 'twice'", "contains(event::varchar, 'twice')")
    for form in ([], ["--csv"]):
        code, seen = on_terminal(stored, "sql", query, *form)
        assert code == 0, seen
        assert "\x1b[2J" not in seen
        assert "2J[red]x" in seen
    assert "\x1b[2J" not in stored.run("sql", query).stdout
    assert "\x1b[2J" in stored.run("sql", query, "--csv").stdout


def test_a_terminal_gets_the_first_rows_and_a_note(stored: Command) -> None:
    many = "select range as n from range(2000)"
    code, seen = on_terminal(stored, "sql", many)
    assert code == 0
    assert "499" in seen
    assert "1999" not in seen
    assert "The first 500 rows of more." in seen
    assert len(stored.run("sql", many).stdout.splitlines()) == 2000
    bounded = stored.run("sql", many, "--max", "3", "--jsonl")
    assert len(bounded.stdout.splitlines()) == 3
    assert "The first 3 rows of more." in bounded.stderr
    exact = stored.run("sql", many, "--max", "2000")
    assert exact.stderr == ""


def test_a_database_that_cannot_be_read(stored: Command, tmp_path: Path) -> None:
    with held(stored.folder / DATABASE):
        done = stored.run("sql", "select 1")
    assert (done.returncode, done.stdout) == (5, "")
    assert "being written by another process" in done.stderr
    missing = stored.run(
        "sql", "select 1", "--database", str(tmp_path / "no.duckdb"), COLUMNS="500"
    )
    assert (missing.returncode, "does not exist" in missing.stderr) == (2, True)
    elsewhere = stored.run("sql", "select 1", "--destination", "postgres")
    assert (elsewhere.returncode, "DuckDB files only" in elsewhere.stderr) == (2, True)
