"""What the notebooks show is what the tables hold."""

import io
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")

from notebooks.reading import events
from tests.notebooks.databases import rows
from tests.notebooks.running import run

NEWEST = "SELECT max(last_polled_at) FROM stream_status"


@pytest.fixture(scope="module")
def shown(demo: Path) -> dict[str, dict[str, Any]]:
    names = ("events", "errors", "completeness", "usage", "quickstart")
    return {name: run(name, demo) for name in names}


def test_events_of_the_busiest_stream(shown: dict[str, Any], demo: Path) -> None:
    cells = shown["events"]
    query = "SELECT emitter_id, channel, count(*) FROM source_event_summaries GROUP BY ALL"
    emitter, channel, count = max(rows(demo, query), key=lambda row: row[2])
    assert tuple(cells["one"][["emitter_id", "channel", "events"]]) == (emitter, channel, count)
    where = "FROM source_event_summaries WHERE emitter_id = ? AND channel = ?"
    payloads = [row[0] for row in rows(demo, f"SELECT event {where}", [emitter, channel])]
    assert cells["figures"]["events"] == cells["pace"]["events"].sum() == count
    assert cells["figures"]["bytes"] == sum(len(text.encode()) for text in payloads)
    assert cells["sizes"]["events"].sum() == count
    paths = Counter(f"$.{name}" for text in payloads for name in json.loads(text))
    found = cells["paths"].set_index("path")["events"]
    assert found.to_dict() == dict(paths)
    newest = f"SELECT id, event {where} ORDER BY emitted_at DESC, event_seq DESC LIMIT 1"
    assert [(cells["picked"]["id"], cells["picked"]["payload"])] == rows(
        demo, newest, [emitter, channel]
    )


@pytest.mark.parametrize("file_format", ["csv", "parquet", "json"])
def test_a_file_holds_all_that_is_selected(
    shown: dict[str, Any], demo: Path, file_format: events.FileFormat
) -> None:
    cells = shown["events"]
    selection = cells["selection"]
    written = events.file_of(cells["database"], selection, file_format)
    found = {
        "csv": lambda: pd.read_csv(io.BytesIO(written)),
        "parquet": lambda: pd.read_parquet(io.BytesIO(written)),
        "json": lambda: pd.DataFrame([json.loads(line) for line in written.splitlines()]),
    }[file_format]()
    query = "SELECT id, event FROM source_event_summaries WHERE emitter_id = ? AND channel = ? "
    wanted = rows(demo, f"{query} ORDER BY emitted_at", [selection.emitter_id, selection.channel])
    if file_format == "parquet" and isinstance(found["event"][0], bytes):
        # pyarrow 17 reads JSON as bytes.
        found["event"] = [value.decode() for value in found["event"]]
    if file_format == "json":
        found["event"] = [json.dumps(value, separators=(",", ":")) for value in found["event"]]
    assert list(zip(found["id"], found["event"], strict=True)) == wanted
    name = events.file_name(selection, file_format)
    assert name == f"{selection.emitter_id}.{file_format}"


def test_a_search_takes_only_what_holds_the_text(shown: dict[str, Any], demo: Path) -> None:
    database = shown["events"]["database"]
    query = "SELECT id FROM source_event_summaries WHERE emitter_id = ? AND event::VARCHAR ILIKE ?"
    (shop,) = [r[0] for r in rows(demo, "SELECT id FROM sources WHERE name = 'Shop orders'")]
    wanted = [row[0] for row in rows(demo, query, [shop, "%TEAPOT%"])]
    chosen = events.Selection("source_event_summaries", shop, "", text="TeaPot")
    assert events.summary(database, chosen)["events"] > 0
    default = events.newest(database, chosen, limit=1_000)["id"]
    other = events.newest(
        database, events.Selection("source_event_summaries", shop, "order.placed", text="teapot")
    )["id"]
    assert sorted([*default, *other]) == sorted(wanted)
    nothing = events.Selection("source_event_summaries", shop, "", text="%' OR 1=1 --")
    assert events.summary(database, nothing)["events"] == 0
    assert events.paths(database, nothing).empty


def test_errors(shown: dict[str, Any], demo: Path) -> None:
    cells = shown["errors"]
    groups = cells["groups"]
    ((total, first),) = rows(demo, "SELECT count(*), min(emitted_at) FROM workflow_errors")
    assert groups["errors"].sum() == cells["timeline"]["errors"].sum() == total
    assert cells["by_workflow"]["errors"].sum() == total
    # The demo's errors differ in code, message and place in the code alike.
    codes = rows(demo, "SELECT event ->> '$.error.code', count(*) FROM workflow_errors GROUP BY 1")
    assert dict(zip(groups["code"], groups["errors"], strict=True)) == dict(codes)
    ((newest,),) = rows(demo, NEWEST)
    query = (
        "SELECT event ->> '$.error.code' FROM workflow_errors GROUP BY 1 "
        f"HAVING min(emitted_at) >= ({NEWEST}) - INTERVAL 24 HOURS"
    )
    assert set(groups.loc[groups["standing"] == "new", "code"]) == {r[0] for r in rows(demo, query)}
    recent = (
        f"SELECT count(*) FROM workflow_errors WHERE emitted_at >= ({NEWEST}) - INTERVAL 24 HOURS"
    )
    assert rows(demo, recent) == [(groups["recent"].sum(),)]
    assert cells["yesterday"] == newest - timedelta(days=1)
    assert first == cells["first"]


def test_one_error_and_the_command_that_tries_it_again(shown: dict[str, Any], demo: Path) -> None:
    cells = shown["errors"]
    group, error = cells["group"], cells["error"]
    assert len(cells["occurrences"]) == group["errors"]
    assert cells["group_timeline"]["errors"].sum() == group["errors"]
    query = "SELECT event ->> '$.error.stack', event -> '$.original_event' FROM workflow_errors "
    ((stack, original),) = rows(
        demo, f"{query} WHERE id = ? AND emitter_id = ?", [error["id"], error["emitter_id"]]
    )
    assert error["stack"] == stack
    assert json.loads(error["original"]) == json.loads(original)
    text, why = cells["command"]
    if cells["endpoint"].value:
        assert text.startswith("curl ")
    else:
        assert "endpoint" in why


def test_completeness(shown: dict[str, Any], demo: Path) -> None:
    cells = shown["completeness"]
    ((streams,),) = rows(demo, "SELECT count(*) FROM stream_status")
    query = "SELECT count(*), sum(lost_min), sum(lost_max) FROM event_gaps"
    ((gaps, least, most),) = rows(demo, query)
    assert cells["completeness_figures"] == {
        "streams": str(streams),
        "complete_streams": str(streams - 1),
        "streams_with_a_loss": "1",
        "gaps": str(gaps),
        "events_lost": f"{least} to {most}",
    }
    hours = cells["hours"]
    assert not hours.duplicated(["emitter_id", "channel", "start"]).any()
    lost = hours[hours["standing"] == "lost"]
    ((emitter, start, end),) = rows(demo, "SELECT emitter_id, gap_start, gap_end FROM event_gaps")
    assert set(lost["emitter_id"]) == {emitter}
    # From a minute before the poll at ten that found the stream empty.
    assert list(lost["start"]) == [
        at.replace(minute=0, second=0, microsecond=0) for at in (start, end)
    ]
    assert end <= lost["end"].iloc[-1] == hours["end"].max()
    assert list(lost["lost"]) == ["0 to 207, likely 141 events"] * 2
    assert list(cells["gaps"]["explained"]) == [
        "Deploy hooks: between 2026-11-02 09:59 and 2026-11-02 10:05 (7 minutes) more than 100 "
        "events came between two polls; the oldest of them were lost; 0 to 207, likely 141 "
        "events are missing."
    ]


def test_the_safe_interval_is_the_shortest_time_of_half_a_window(
    shown: dict[str, Any], demo: Path
) -> None:
    room = shown["completeness"]["room"]
    assert len(room) == rows(demo, "SELECT count(*) FROM stream_status")[0][0]
    tightest = room.iloc[0]
    query = "SELECT emitted_at FROM source_event_summaries WHERE emitter_id = ? ORDER BY emitted_at"
    times = [row[0] for row in rows(demo, query, [tightest["emitter_id"]])]
    shortest = min(later - first for first, later in zip(times, times[50:], strict=False))
    assert tightest["safe_seconds"] == shortest.total_seconds()
    assert tightest["stream"] == "Deploy hooks"


def test_usage(shown: dict[str, Any], demo: Path) -> None:
    cells = shown["usage"]
    query = (
        "SELECT name, max(daily_credits_used), max(daily_credits_quota) FROM workspaces GROUP BY 1"
    )
    daily = cells["daily"]
    credits = daily[daily["measure"] == "credits"]
    found = list(zip(credits["owner"], credits["used"], credits["quota"], strict=True))
    assert sorted(found) == sorted(rows(demo, query))
    outlook = cells["outlook"].set_index(["owner", "measure"])["outlook"]
    assert outlook["Acme Storefront", "credits"] == "the quota is used up"
    query = (
        "SELECT emitter_id, count(*) FROM (SELECT emitter_id FROM source_event_summaries UNION ALL "
        "SELECT emitter_id FROM workflow_emits) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15"
    )
    top = cells["top"]
    assert list(zip(top["emitter_id"], top["events"], strict=True)) == rows(demo, query)


def test_quickstart(shown: dict[str, Any], demo: Path) -> None:
    cells = shown["quickstart"]
    tables = cells["tables"].set_index("table_name")["rows"]
    for name, count in tables.items():
        assert rows(demo, f'SELECT count(*) FROM "{name}"') == [(count,)]
    assert not [name for name in tables.index if str(name).startswith("_dlt")]
    assert len(cells["answers"]) == 5
    assert all(len(answer) for answer in cells["answers"].values())
    # Each stream of which something is stored, whatever kind it is.
    (first, *_) = cells["answers"].values()
    assert (len(first), first["events"].sum()) == (26, 2_552)
    count = "SELECT count(*) FROM source_event_summaries"
    assert rows(demo, count) == [(cells["per_team"]["events"].sum(),)]
    assert len(cells["own"]) == 10
