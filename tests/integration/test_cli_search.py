"""`search`: find a text in payloads, however JSON spells it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from tests.integration.command import DATABASE, Command
from tests.integration.holding import holding
from tests.integration.invoking import on_terminal

TRUTH = " UNION ALL ".join(
    f"SELECT emitted_at, event_seq, id FROM pipedream.{table} "
    "WHERE contains(lower(event::VARCHAR), 'hello-world')"
    for table in ("source_event_summaries", "workflow_emits", "workflow_errors")
)


def test_it_finds_what_contains_a_text_newest_first(stored: Command) -> None:
    with duckdb.connect(str(stored.folder / DATABASE), read_only=True) as database:
        rows = database.execute(f"{TRUTH} ORDER BY ALL DESC").fetchall()
    assert len(rows) > 50
    found = stored.json("search", "hello-WORLD", "--max", "100000")
    assert [hit["emitted_at"] for hit in found] == [row[0].isoformat() for row in rows]
    assert {hit["id"] for hit in found} == {row[2] for row in rows}
    for hit in found:
        assert hit["match"].lower() == "hello-world"
        start = hit["match_at"]
        assert hit["snippet"][start : start + len(hit["match"])] == hit["match"]
        assert len(hit["snippet"]) < 200
    assert {hit["table"] for hit in found} >= {"source_event_summaries", "workflow_errors"}
    first = stored.run("search", "hello-world", "--max", "3")
    assert len(first.stdout.splitlines()) == 3
    assert "The newest 3 events of more" in first.stderr


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["café"], "café"),
        (["CAFÉ"], "café"),
        (['say "hi"'], 'say "hi"'),
        (["a/b"], "a/b"),
        (["1e400"], "1e400"),
        (["--regex", r'"twice":\d\.\d+'], '"twice":2.50'),
    ],
)
def test_however_json_spells_it(words: list[str], match: str, stored: Command) -> None:
    (hit,) = stored.json("search", *words)
    assert (hit["name"], hit["match"]) == ("GitHub code", match)


def test_a_text_is_no_pattern(tmp_path: Path) -> None:
    texts = ["a.c", "x*", "(", "[a", "\\", "'", "%", "_", "a b", "$1", "😀", "two\nlines", "x&y"]
    spelled = [json.dumps(text) for text in texts]
    command = holding(tmp_path, *spelled, '"zzz"')
    for text in texts:
        (hit,) = command.json("search", text)
        assert hit["match"] == text
        assert hit["snippet"] == f'"{text}"'
        assert hit["match_at"] == 1


@pytest.mark.parametrize(
    ("words", "payload", "before", "match"),
    [
        (["--regex", r"\bcat\b"], '{"a":"concatenate","b":"a cat"}', '"b":"a ', "cat"),
        (["--regex", "^.{3}"], '{"a":"{\\"a{\\"a"}', "", '{"a'),
        (["--regex", "a..$"], '["a","a"]', '["a","', 'a"]'),
        (["--regex", "a.*b"], r'["a\nb"]', '["', "a\nb"),
        (["--regex", "(?-i)CAT"], '["cat","CAT"]', '["cat","', "CAT"),
        (["--regex", r"\Qa.c"], '["abc","a.c"]', '["abc","', "a.c"),
        (["--regex", "x*"], '["ax"]', "", ""),
        (["--regex", "[é]+"], '["e","\\u00e9é"]', '["e","', "éé"),
        (["1\\n2"], '["1\\n2","1\\\\n2"]', '["1\n2","', "1\\n2"),
    ],
)
def test_the_mark_is_where_it_matched(
    words: list[str], payload: str, before: str, match: str, tmp_path: Path
) -> None:
    (hit,) = holding(tmp_path, payload).json("search", *words)
    start = hit["match_at"]
    assert hit["match"] == match
    assert hit["snippet"][:start].endswith(before)
    assert hit["snippet"][start:].startswith(match)
    assert not before or start >= len(before)
    assert before or start == 0


@pytest.mark.parametrize(("after", "end"), [(59, ""), (60, ""), (61, "…")])
def test_dots_stand_only_where_more_follows(after: int, end: str, tmp_path: Path) -> None:
    (hit,) = holding(tmp_path, json.dumps("match" + "." * (after - 1))).json("search", "match")
    assert hit["snippet"] == ('"match' + "." * (after - 1) + '"')[: 6 + 60] + end


def test_only_where_it_is_asked_for(stored: Command) -> None:
    everything = stored.json("search", "hello-world", "--max", "100000")
    one = everything[-1]["emitter_id"]
    own = stored.json("search", "hello-world", "--emitter", one, "--max", "100000")
    assert own == [hit for hit in everything if hit["emitter_id"] == one]
    late = stored.json("search", "hello-world", "--since", everything[4]["emitted_at"])
    assert late == [h for h in everything if h["emitted_at"] >= everything[4]["emitted_at"]]
    none = stored.run("search", "'; drop table workflow_errors; --")
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "No events.\n")


def test_what_cannot_be_looked_for(stored: Command) -> None:
    for words, said in (
        (["--regex", "("], "missing )"),
        ([""], "empty text"),
        (["a\udcff"], "no UTF-8"),
        (["x", "--emitter", "nosuch"], "--emitter"),
        (["x", "--since", "soon"], "--since"),
        (["x", "--json", "--jsonl"], "contradict"),
        (["x", "--destination", "postgres"], "DuckDB files only"),
    ):
        done = stored.run("search", *words, COLUMNS="300")
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_terminal_shows_the_match_and_obeys_nothing(stored: Command) -> None:
    code, seen = on_terminal(stored, "search", "2J[red]")
    assert code == 0
    assert "\x1b[1;7m2J[red]\x1b[0m" in seen
    assert "\x1b[2J" not in seen


def test_pruned_payloads_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / DATABASE)) as database:
        database.execute("CREATE SCHEMA pipedream; CREATE TABLE pipedream.stream_status (a INT)")
        database.execute(
            "CREATE TABLE pipedream.workflow_errors (emitter_id TEXT, channel TEXT, id TEXT, "
            "emitted_at TIMESTAMPTZ, event_seq BIGINT, event JSON, event_state TEXT)"
        )
        moment = datetime(2026, 11, 1, tzinfo=UTC)
        for event, state in (('"found"', "full"), (None, "pruned"), (None, "missing")):
            values = ["p_a", "$errors", "1-0", moment, 0, event, state]
            database.execute("INSERT INTO pipedream.workflow_errors VALUES (?,?,?,?,?,?,?)", values)
    done = Command(tmp_path).run("search", "found")
    assert done.stdout.count("\n") == 1
    assert "1 payload of that period moved to an archive" in done.stderr
    assert "note" not in Command(tmp_path).run("search", "found", "--emitter", "p_b").stderr
