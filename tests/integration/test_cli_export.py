"""`export`: a table as a file, whole or not at all, and nothing of it changed on the way."""

import csv
import json
import os
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pandas as pd
import pytest

from pipedream_source.cli.read import export_formats
from tests.integration.command import DATABASE, Command
from tests.integration.conftest import ODD
from tests.integration.invoking import on_terminal

EVENTS = "source_event_summaries"


@pytest.fixture
def command(stored: Command, tmp_path: Path) -> Command:
    """The command in an empty folder, with the database elsewhere."""
    (tmp_path / "here").mkdir()
    return At(tmp_path / "here", stored.folder / DATABASE)


class At(Command):
    """Runs verbs on a database that is elsewhere."""

    def __init__(self, folder: Path, database: Path) -> None:
        super().__init__(folder)
        self.database = database

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "PIPEDREAM_DATABASE": str(self.database)}


def rows(database: Path, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {columns} FROM pipedream.{table}").fetchall()


def test_parquet_keeps_rows_and_types(command: At) -> None:
    told = command.json("export", EVENTS)
    file = command.folder / f"{EVENTS}.parquet"
    assert told == {
        **{"table": EVENTS, "form": "parquet", "file": file.name},
        **{"rows": len(rows(command.database, EVENTS)), "bytes": file.stat().st_size},
    }
    assert duckdb.execute(f"SELECT * FROM '{file}'").fetchall() == rows(command.database, EVENTS)
    frame = pd.read_parquet(file)
    assert str(frame["emitted_at"].dtype) == "datetime64[us, UTC]"
    assert {type(event) for event in frame["event"]} == {str}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in command.folder.iterdir()] == [file.name]


def test_a_payload_is_json_byte_for_byte_in_lines(command: At) -> None:
    done = command.run("export", EVENTS, "--to", "jsonl")
    assert done.stdout.startswith("Exported "), done.stderr
    lines = (command.folder / f"{EVENTS}.jsonl").read_text("utf-8").splitlines()
    stored = rows(command.database, EVENTS, "emitter_id, channel, id, event::VARCHAR, event_seq")
    assert len(lines) == len(stored)
    for line, (emitter_id, channel, event_id, event, seq) in zip(lines, stored, strict=True):
        row = json.loads(line)
        assert (row["emitter_id"], row["channel"], row["id"]) == (emitter_id, channel, event_id)
        assert row["event_seq"] == seq
        assert f'"event":{event.replace(chr(10), " ")},"event_state"' in line
        assert re.fullmatch(r"2026-[0-9-]+T[0-9:]+\.\d{6}Z", row["emitted_at"])
    assert sum(ODD.replace("\n", " ") in line for line in lines) == 1


@pytest.mark.parametrize(
    ("words", "form"),
    [
        (("-o", "out.csv"), "csv"),
        (("-o", "out.JSONL"), "jsonl"),
        (("-o", "out.txt"), "parquet"),
        (("-o", "out.csv", "--to", "jsonl"), "jsonl"),
    ],
)
def test_the_name_of_the_file_tells_its_form(
    command: At, words: tuple[str, ...], form: str
) -> None:
    assert command.json("export", "workflows", *words)["form"] == form
    written = (command.folder / words[1]).read_bytes()
    begins = {"csv": b'"id",', "jsonl": b'{"id":', "parquet": b"PAR1"}[form]
    assert written.startswith(begins)


def test_csv_tells_nothing_from_an_empty_text(command: At) -> None:
    assert command.run("export", EVENTS, "--to", "csv", "-o", "out.csv").returncode == 0
    with (command.folder / "out.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    stored = rows(command.database, EVENTS, "channel, id, event::VARCHAR")
    assert [(row["channel"], row["id"], row["event"]) for row in found] == stored
    piped = command.run("export", "stream_status", "--to", "csv", "-o", "-")
    assert len(piped.stdout.splitlines()) == 28
    assert '"",' in piped.stdout
    assert ",," in piped.stdout
    assert piped.stderr == "27 rows of stream_status\n"
    assert command.run("export", "stream_status", "--to", "csv", "-o", "-", "-q").stderr == ""


def test_every_table(command: At) -> None:
    with duckdb.connect(str(command.database), read_only=True) as connection:
        tables = connection.execute("FROM duckdb_tables() SELECT table_name").fetchall()
    assert len(tables) > 16
    for (table,) in tables:
        done = command.run("export", table, "--to", "jsonl", "-o", "-")
        assert done.returncode == 0, done.stderr
        assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())


def test_odd_types_and_names(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "odd.duckdb")) as connection:
        connection.execute("CREATE SCHEMA pipedream; CREATE TABLE pipedream.stream_status (a INT)")
        connection.execute('CREATE SCHEMA "my marts"')
        connection.execute(
            'CREATE TABLE "my marts"."a \'b"" c" AS SELECT 1 AS "it\'s ""x""", [1, 2] AS list, '
            "{'k': 'v'} AS struct, 12345678901234567890123::HUGEINT AS big, 'nan'::DOUBLE AS none, "
            "1.5::DECIMAL(5, 2) AS price, uuid() AS u, INTERVAL 1 DAY AS span, '\\xAA'::BLOB AS b"
        )
    command = At(tmp_path, tmp_path / "odd.duckdb")
    name = "my marts.a 'b\" c"
    (line,) = command.run("export", name, "--to", "jsonl", "-o", "-").stdout.splitlines()
    row = json.loads(line)
    assert (row['it\'s "x"'], row["list"], row["struct"]) == (1, [1, 2], {"k": "v"})
    assert (row["big"], row["none"], row["price"]) == (12345678901234567890123, "nan", 1.5)
    for form in ("parquet", "csv"):
        assert command.run("export", name, "--to", form, "-o", form).returncode == 0
    frame = pd.read_parquet(tmp_path / "parquet")
    assert (frame["list"][0], frame["span"][0]) == ("[1, 2]", "1 day")


def test_only_what_is_asked_for(command: At) -> None:
    emitters = "SELECT emitter_id, count(*) FROM pipedream.workflow_errors GROUP BY ALL"
    with duckdb.connect(str(command.database), read_only=True) as connection:
        (first, count), (second, other), *_ = connection.execute(emitters).fetchall()
        newest = connection.execute("SELECT max(emitted_at) FROM pipedream.workflow_errors")
        (newest_at,) = newest.fetchone() or (None,)
    words = ("export", "workflow_errors", "--to", "jsonl", "--emitter", first)
    assert command.json(*words)["rows"] == count
    assert command.json(*words, "--emitter", second, "--force")["rows"] == count + other
    assert command.json("export", "workflow_errors", "--since", str(newest_at))["rows"] == 1
    for wrong in (("load_runs", "--emitter", "dc_a"), ("component_code", "--since", "1d")):
        done = command.run("export", *wrong)
        assert (done.returncode, "has no such column" in done.stderr) == (2, True)


def test_nothing_is_overwritten_or_made_up(command: At) -> None:
    (command.folder / "taken.csv").write_text("mine")
    (command.folder / "folder").mkdir()
    os.mkfifo(command.folder / "pipe")
    before = sorted(path.name for path in command.folder.iterdir())
    for words, said in (
        (["event_gaps", "-o", "taken.csv"], "--force"),
        (["event_gaps", "-o", "folder"], "is a folder"),
        (["event_gaps", "-o", "pipe", "--force"], "no file that can be replaced"),
        (["event_gaps", "-o", "/dev/null", "--force"], "- for stdout"),
        (["event_gaps", "-o", "nowhere/x.csv"], "is not there"),
        (["event_gaps", "-o", "-", "--json"], "both"),
        (["nosuch"], "'event_gaps'"),
        (["event_gaps; drop table event_gaps"], "There is no table"),
        (["read_text('taken.csv')"], "There is no table"),
        (["event_gaps", "--since", "soon"], "--since takes"),
        (["event_gaps", "--destination", "postgres"], "DuckDB files only"),
    ):
        done = command.run("export", *words, "--to", "csv", COLUMNS="300")
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert command.run("export", "event_gaps", "-o", "-").returncode == 2
    assert sorted(path.name for path in command.folder.iterdir()) == before
    assert (command.folder / "taken.csv").read_text() == "mine"
    done = command.run("export", "event_gaps", "--to", "csv", "-o", "taken.csv", "--force")
    assert done.returncode == 0
    assert (command.folder / "taken.csv").read_text().startswith('"emitter_id"')


@pytest.mark.parametrize(
    ("failure", "code"), [(KeyboardInterrupt, 130), (partial(OSError, 28, "No space left"), 1)]
)
def test_what_ends_halfway_leaves_nothing(
    failure: Callable[[], BaseException], code: int, command: At
) -> None:
    (command.folder / "old.jsonl").write_text("as it was")

    def write(batches: Any, file: Any, tell: Any) -> int:
        file.write(b"half")
        raise failure()

    with patch.object(export_formats, "_write_lines", write):
        done = command.run("export", EVENTS, "--to", "jsonl", "-o", "old.jsonl", "--force")
    assert done.returncode == code, done.stderr
    assert [path.name for path in command.folder.iterdir()] == ["old.jsonl"]
    assert (command.folder / "old.jsonl").read_text() == "as it was"


def test_a_terminal_obeys_nothing_of_it(stored: Command) -> None:
    with duckdb.connect(str(stored.folder / "acting.duckdb")) as connection:
        connection.execute("CREATE SCHEMA pipedream; CREATE TABLE pipedream.stream_status (a TEXT)")
        connection.execute(
            "INSERT INTO pipedream.stream_status VALUES (chr(27) || '[2J' || chr(155))"
        )
    words = ("export", "stream_status", "--database", "acting.duckdb", "-o", "-", "--to")
    for form in ("csv", "jsonl"):
        code, seen = on_terminal(stored, *words, form)
        assert (code, "2J" in seen) == (0, True), seen
        assert not {"\x1b[2J", "\x9b"} & {seen, *re.findall("\x1b\\[2J|\x9b", seen)}
    assert "\x1b[2J" in stored.run(*words, "csv").stdout


def test_an_interrupt_is_told(stored: Command) -> None:
    with patch.object(export_formats.Rows, "count", side_effect=RuntimeError("Query interrupted")):
        done = stored.run("export", "event_gaps", "-o", "none.parquet")
    assert (done.returncode, "Stopped by SIGINT" in done.stderr) == (130, True)


def test_a_link_leads_to_what_is_replaced(command: At) -> None:
    (command.folder / "real.csv").write_text("old")
    (command.folder / "link.csv").symlink_to("real.csv")
    words = ("export", "event_gaps", "--to", "csv", "-o", "link.csv", "--force")
    assert command.run(*words).returncode == 0
    assert (command.folder / "link.csv").is_symlink()
    assert (command.folder / "real.csv").read_text().startswith('"emitter_id"')


def test_the_limit_of_memory_is_lifted_for_what_it_cannot_hold(command: At) -> None:
    limits: list[str] = []
    real = export_formats.Rows._write

    def write(self: Any, to: Any, file: Any, tell: Any) -> int:
        query = "SELECT current_setting('memory_limit')"
        limits.append(self._connection.execute(query).fetchall()[0][0])
        count = real(self, to, file, tell)
        if len(limits) == 1:
            raise duckdb.OutOfMemoryException("could not allocate block")
        return count

    with patch.object(export_formats.Rows, "_write", write):
        told = command.json("export", EVENTS, "--to", "jsonl")
    assert (limits[0], len(limits), limits[1] != limits[0]) == ("190.7 MiB", 2, True)
    lines = (command.folder / told["file"]).read_text("utf-8").splitlines()
    assert len(lines) == told["rows"] == len(rows(command.database, EVENTS))


def test_tables_without_streams_are_enough(tmp_path: Path) -> None:
    """As after a first load with `--only entities`."""
    with duckdb.connect(str(tmp_path / "few.duckdb")) as connection:
        connection.execute("CREATE SCHEMA pipedream; CREATE TABLE pipedream.sources AS SELECT 1 id")
    command = At(tmp_path, tmp_path / "few.duckdb")
    assert command.run("export", "sources", "--to", "csv", "-o", "-").stdout == '"id"\n1\n'
    assert command.run("sql", "from sources").stdout == "1\n"
    done = command.run("sql", "select 1", "--dataset", "other", COLUMNS="300")
    assert (done.returncode, "holds no dataset 'other': check" in done.stderr) == (2, True)


def test_a_database_without_tables_of_events_has_no_events(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "few.duckdb")) as connection:
        connection.execute("CREATE SCHEMA pipedream; CREATE TABLE pipedream.stream_status (a INT)")
    command = At(tmp_path, tmp_path / "few.duckdb")
    for words in (("search", "x"), ("events", "tail", "--emitter", "dc_a")):
        done = command.run(*words)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "No events.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_without_room_is_told(command: At) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command.line("export", EVENTS, "--to", "jsonl", "-o", "-"),
            cwd=command.folder,
            env=command.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, "output cannot be written" in done.stderr) == (1, True), done.stderr
