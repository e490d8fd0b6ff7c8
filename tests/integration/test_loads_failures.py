"""What fails for one stream or one list fails for no other, and mends with the next load."""

import json
import time
from functools import partial

import pytest

from tests.integration.contract import KEY, Contract, Reply, Stream, Warehouse, source

START = int(time.time() * 1000) - 3_600_000
HTML = b"<html><body>502 Bad Gateway</body></html>"
BROKEN: dict[str, Reply] = {
    "dc_500": Reply(b'{"error":"oops"}', 500),
    "dc_404": Reply(b'{"error":"record not found"}', 404),
    "dc_403": Reply(b"", 403),
    "dc_html": Reply(HTML),
    "dc_object": Reply(b"{}"),
    "dc_null": Reply(b'{"data":null}'),
    "dc_error": Reply(b'{"error":"Throttled"}'),
    "dc_text": Reply(b'{"data":"none"}'),
    "dc_cut": Reply(b'{"data":[{"id":"1-0"', cut=500),
    "dc_half": Reply(b'{"data":[{"id":"1-0"}'),
    "dc_none": Reply(status=204),
    "dc_away": Reply(b"", 302, {"Location": "http://127.0.0.2:9/v1/x"}),
    "dc_round": Reply(b"", 307, {"Location": "/v1/sources/dc_round/event_summaries"}),
}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once; how long is waited is for the tests of the limiter."""
    monkeypatch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)


def always(reply: Reply, _query: dict[str, str]) -> Reply:
    return reply


def loaded(warehouse: Warehouse, emitter: str) -> int:
    return sum(key[0] == emitter for key in warehouse.events())


def test_a_stream_that_fails_stops_no_other_and_recovers(
    contract: Contract, warehouse: Warehouse
) -> None:
    names = [*BROKEN, "dc_good", "dc_second"]
    for name in names:
        contract.stream(name, most=20).emit_many(30, START)
    assert warehouse.load().exit_code == 0
    for name in names:
        contract.stream(name).emit_many(30, START + 60_000)
    for name, reply in BROKEN.items():
        contract.stream(name).answers = partial(always, reply)
    # One fails in the midst of its walk: what was read before is kept.
    contract.stream("dc_second").answers = lambda query: Reply(HTML) if "after" in query else None
    for failures in (1, 2):
        report = warehouse.load()
        assert report.exit_code == 3, report.as_dict()
        assert len(report.tally.errors) == report.tally.failed == len(BROKEN) + 1
        for name in (*BROKEN, "dc_second"):
            last_id = f"{START + 29_000}-0"
            found = warehouse.status(name, "verdict, failures, last_error IS NOT NULL, last_id")
            assert found == ("unknown", failures, True, last_id), name
        assert loaded(warehouse, "dc_good") == 60
        assert loaded(warehouse, "dc_second") == 50
        assert loaded(warehouse, "dc_html") == 30
    assert "127.0.0.2" in report.tally.errors["dc_away"]
    for name in names:
        contract.stream(name).answers = None
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.rows("SELECT * FROM event_gaps") == []
    told = warehouse.rows("SELECT DISTINCT verdict, failures, last_error FROM stream_status")
    assert told == [("contiguous", 0, None)]


def test_a_gap_behind_a_failure_is_not_hidden_by_its_rows(
    contract: Contract, warehouse: Warehouse
) -> None:
    """Rows of a walk that failed prove nothing: what was lost before them is still told."""
    stream = contract.stream("dc_gap", most=20)
    contract.stream("dc_good")
    stream.emit_many(50, START)
    warehouse.load()
    stream.emit_many(240, START + 60_000)
    stream.answers = lambda query: Reply(HTML) if "after" in query else None
    assert warehouse.load(fail_on_loss=True).exit_code == 3
    stream.answers = None
    report = warehouse.load(fail_on_loss=True)
    assert report.exit_code == 4
    ((verdict, after, before, least, _, most),) = warehouse.gaps("dc_gap")
    assert (verdict, after) == ("overrun", stream.emitted[49].id)
    assert before == stream.emitted[190].id
    assert least <= 140 <= most
    expected = [row.id for row in stream.emitted[:50] + stream.emitted[190:]]
    assert sorted(key[2] for key in warehouse.events()) == sorted(expected)


def test_all_failing_is_a_failure(contract: Contract, warehouse: Warehouse) -> None:
    for name in ("dc_a", "dc_b"):
        contract.stream(name).answers = lambda _: Reply(HTML)
    assert warehouse.load().exit_code == 1
    assert warehouse.status("dc_a", "verdict, last_id, failures") == ("unknown", None, 1)


def test_a_429_is_waited_for(contract: Contract, warehouse: Warehouse) -> None:
    refusals = [Reply(b'{"error":"Throttled"}', 429, {"Retry-After": "1"})]
    for name in ("dc_a", "dc_b", "dc_c"):
        contract.stream(name).emit_many(10, START)
    contract.stream("dc_a").answers = lambda _: refusals.pop() if refusals else None
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    contract.stream("dc_b").emit_many(10, START + 60_000)
    contract.stream("dc_a").answers = None
    contract.stream("dc_c").answers = lambda _: Reply(b"", 429, {"Retry-After": "999999"})
    started = time.monotonic()
    report = warehouse.load()
    assert time.monotonic() - started < 60
    assert (report.exit_code, report.tally.deferred) == (3, 1)
    assert warehouse.events() == contract.emitted()
    assert warehouse.status("dc_c", "failures, last_id") == (1, f"{START + 9_000}-0")


def test_a_key_that_stops_working_midway_keeps_what_was_read(
    contract: Contract, warehouse: Warehouse
) -> None:
    for n in range(12):
        contract.stream(f"dc_{n:02}").emit_many(10, START)
    contract.key_works = lambda asked: asked < 9
    report = warehouse.load(max_workers=1)
    assert report.exit_code == 2, report.as_dict()
    kept = warehouse.events()
    assert 10 <= len(kept) < 120
    assert kept.items() <= contract.emitted().items()
    assert KEY not in json.dumps(report.as_dict())
    contract.key_works = lambda _: True
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()


def test_a_wrong_key_creates_nothing(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(10, START)
    report = warehouse.load(key="pd_wrong_key_0123")
    assert report.exit_code == 2
    assert "pd_wrong_key_0123" not in json.dumps(report.as_dict())
    assert list(warehouse.folder.iterdir()) == []
    assert len(contract.strangers) == 1
    assert contract.journal == []


def test_lists_close_rows_only_when_they_were_read_whole(
    contract: Contract, warehouse: Warehouse
) -> None:
    listed = contract.lists["/users/me/sources"]
    for n in range(30):
        contract.stream(f"dc_{n:02}").emit(f"{START}-0")
    props = {"httpRequest": {"auth": {"token": "hush-hush-1", "username": "u"}, "url": "https://x"}}
    listed[0]["configured_props"] = props
    contract.orgs.append("o_1")
    contract.lists["/orgs/o_1/sources"] = [listed[0], source("dc_org")]
    contract.lists["/workspaces/o_1/subscriptions"] = []
    contract.stream("dc_org").emit(f"{START}-0")
    listed.pop()
    assert warehouse.load().exit_code == 0
    current = "SELECT count(*), count(DISTINCT id) FROM sources WHERE _dlt_valid_to IS NULL"
    assert warehouse.one(current) == (31, 31)
    kept, lists = warehouse.one(
        "SELECT configured_props::VARCHAR, listed_in::VARCHAR FROM sources WHERE id = 'dc_00'"
    )
    assert "hush-hush-1" not in kept
    assert "https://x" in kept
    assert json.loads(lists) == ["users/me", "o_1"]
    # The second page fails: its sources are neither closed nor left unpolled... nor are others.
    contract.broken["/users/me/sources", 1] = Reply(b'{"error":"oops"}', 500)
    for stream in contract.streams.values():
        stream.emit(f"{START + 1000}-0")
    report = warehouse.load()
    assert report.exit_code == 3, report.as_dict()
    assert warehouse.one(current) == (31, 31)
    assert warehouse.events() == contract.emitted()
    contract.broken.clear()
    listed[1] = listed[1] | {"active": False, "updated_at": 1_600_000_000}
    assert warehouse.load().exit_code == 0
    assert warehouse.one(current) == (31, 31)
    history = warehouse.rows(
        "SELECT active, _dlt_valid_to IS NULL FROM sources WHERE id = ? ORDER BY _dlt_valid_from",
        listed[1]["id"],
    )
    assert history == [(True, False), (False, True)]
    listed.clear()
    contract.lists["/orgs/o_1/sources"].clear()
    assert warehouse.load().exit_code == 0
    assert warehouse.one(current) == (0, 0)
    assert warehouse.one("SELECT count(*) FROM sources") == (32,)


def test_a_stream_that_is_not_listed_any_more_is_polled_on(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream: Stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    warehouse.load()
    listed = contract.lists["/users/me/sources"].pop()
    for n in (1, 2):
        stream.emit_many(90, START + n * 100_000)
        warehouse.load()
    assert warehouse.events() == contract.emitted()
    contract.lists["/users/me/sources"].append(listed)
    stream.emit_many(150, START + 300_000)
    warehouse.load()
    assert [gap[0] for gap in warehouse.gaps("dc_a")] == ["overrun"]
    assert len(warehouse.events()) == 330
