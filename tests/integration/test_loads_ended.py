"""Objects that end: told once, asked rarely, no failure; what answers again lives again."""

import json
import time

import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from tests.integration.contract import Contract, Reply, Warehouse

START = int(time.time() * 1000) - 3_600_000
HOUR = 3_600
GONE = Reply(b'{"error":"record not found"}', 404)


class Clock:
    """The clock of this process, and of the server in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead_s = 0.0
        true = time.time
        monkeypatch.setattr(time, "time", lambda: true() + self.ahead_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)
    return Clock(monkeypatch)


def prove(warehouse: Warehouse) -> tuple[int, dict[str, list[str]]]:
    """Run `prove`; return its exit code and each emitter's standings."""
    line = ["prove", "--json", "--database", str(warehouse.database)]
    done = CliRunner().invoke(app, line)
    streams = json.loads(done.stdout)["streams"]
    return done.exit_code, {
        f"{s['emitter_id']} {s['channel']}".strip(): [p["standing"] for p in s["segments"]]
        for s in streams
    }


def asked(contract: Contract, emitter: str) -> int:
    return sum(f"/{emitter}/" in path for path, _ in contract.journal)


def unlist(contract: Contract, emitter: str) -> dict:
    rows = contract.lists["/users/me/sources"]
    (row,) = [row for row in rows if row["id"] == emitter]
    rows.remove(row)
    return row


def break_stream(contract: Contract, reply: Reply | None, *names: tuple[str, str]) -> None:
    for name in names:
        contract.stream(*name).answers = (lambda _: reply) if reply else None


def test_a_workflow_that_an_error_named_and_that_is_gone(
    contract: Contract, warehouse: Warehouse, clock: Clock
) -> None:
    contract.subscribe("p_here")
    contract.stream("p_here").emit(f"{START}-0")
    context = b'{"original_context":{"workflow_id":"p_gone"}}'
    contract.stream("p_here", "$errors").emit(f"{START}-0", context)
    contract.stream("dc_a").emit(f"{START}-0")
    for ahead in (0, 0.5):
        clock.ahead_s = ahead * HOUR
        report = warehouse.load()
        assert (report.exit_code, report.tally.failed) == (3, 2)
    assert prove(warehouse)[0] == 4
    # Three polls, but less than an hour; then an hour.
    for ahead, code in ((0.9, 3), (1.1, 0)):
        clock.ahead_s = ahead * HOUR
        report = warehouse.load()
        assert report.exit_code == code
    assert (report.tally.failed, report.tally.ended) == (0, 2)
    told = [text for text in report.tally.warnings if "p_gone" in text]
    assert len(told) == 2
    assert "`pipedream-source workflows forget p_gone`" in told[0]
    assert warehouse.status("p_gone", "verdict, failures") == ("ended", 0)
    code, standings = prove(warehouse)
    assert (code, standings["p_gone"], standings["p_gone $errors"]) == (0, ["ended"], ["ended"])
    # Neither asked nor told of again for as long as it was gone; no news needs no package.
    count, loads = asked(contract, "p_gone"), "SELECT count(*) FROM _dlt_loads"
    for ahead in (1.5, 2):
        clock.ahead_s = ahead * HOUR
        report = warehouse.load(only="events")
        assert (report.exit_code, report.tally.ended) == (0, 2)
        assert not [text for text in report.tally.warnings if "p_gone" in text]
    before = warehouse.one(loads)
    assert warehouse.load(only="events").exit_code == 0
    assert warehouse.one(loads) == before
    assert asked(contract, "p_gone") == count
    assert prove(warehouse)[0] == 0
    clock.ahead_s = 2.3 * HOUR
    report = warehouse.load()
    assert (report.exit_code, asked(contract, "p_gone")) == (0, count + 2)
    assert not [text for text in report.tally.warnings if "p_gone" in text]


@pytest.mark.parametrize("status", [404, 403])
def test_a_source_that_no_list_names_and_nobody_can_read_has_ended(
    contract: Contract, warehouse: Warehouse, clock: Clock, status: int
) -> None:
    contract.stream("dc_b").emit(f"{START}-0")
    contract.stream("dc_a").emit_many(30, START)
    assert warehouse.load().exit_code == 0
    row = unlist(contract, "dc_a")
    break_stream(contract, Reply(b"", status), ("dc_a", ""))
    clock.ahead_s = HOUR
    report = warehouse.load()
    assert (report.exit_code, report.tally.ended) == (0, 1)
    assert len([text for text in report.tally.warnings if "dc_a: it has ended" in text]) == 1
    code, standings = prove(warehouse)
    assert (code, standings["dc_a"]) == (0, ["complete", "ended"])
    # It is restored, and lost events meanwhile.
    contract.lists["/users/me/sources"].append(row)
    contract.stream("dc_a").emit_many(150, START + 100_000)
    break_stream(contract, None, ("dc_a", ""))
    clock.ahead_s = 26 * HOUR
    report = warehouse.load()
    assert (report.exit_code, len(report.tally.gaps)) == (0, 1)
    assert [text for text in report.tally.warnings if "dc_a: it had ended" in text]
    assert warehouse.status("dc_a", "verdict, last_error") == ("overrun", None)
    assert prove(warehouse)[1]["dc_a"] == ["complete", "lost", "complete"]


def test_what_was_seen_empty_and_gone_is_not_proven_when_it_lives_again(
    contract: Contract, warehouse: Warehouse, clock: Clock
) -> None:
    """What came between the last poll and its deletion went with it."""
    contract.stream("dc_b").emit(f"{START}-0")
    contract.stream("dc_a")
    assert warehouse.load().exit_code == 0
    row = unlist(contract, "dc_a")
    break_stream(contract, GONE, ("dc_a", ""))
    clock.ahead_s = HOUR
    assert warehouse.load().tally.ended == 1
    contract.lists["/users/me/sources"].append(row)
    break_stream(contract, None, ("dc_a", ""))
    clock.ahead_s = 26 * HOUR
    contract.stream("dc_a").emit_many(3, int(time.time() * 1000) - 60_000)
    (gap,) = warehouse.load().tally.gaps
    assert (gap["verdict"], gap["lost_min"], gap["lost_max"]) == ("purged", 0, None)
    code, standings = prove(warehouse)
    assert (code, standings["dc_a"]) == (4, ["complete", "unknown", "complete"])
    assert warehouse.load().tally.gaps == []


def test_a_walk_that_fails_on_its_way_shows_that_there_is_an_emitter(
    contract: Contract, warehouse: Warehouse, clock: Clock
) -> None:
    names = ("dc_a", ""), ("dc_a", "custom")
    contract.shows_all.add("dc_a")
    contract.subscribe("dc_a", "custom")
    for name in names:
        contract.stream(*name).emit_many(80, START)
    assert warehouse.load().exit_code == 0
    row = unlist(contract, "dc_a")
    break_stream(contract, GONE, *names)
    clock.ahead_s = HOUR
    assert warehouse.load().tally.ended == 2
    # It is restored, and the first of two pages can be read.
    contract.lists["/users/me/sources"].append(row)
    break_stream(contract, None, *names)
    contract.stream("dc_a").emit_many(10, START + 100_000)
    contract.stream("dc_a").answers = lambda query: GONE if "after" in query else None
    clock.ahead_s = 26 * HOUR
    report = warehouse.load()
    assert (report.exit_code, report.tally.failed, report.tally.ended) == (3, 1, 0)
    assert warehouse.events() == contract.emitted()
    break_stream(contract, None, *names)
    clock.ahead_s = 27 * HOUR
    report = warehouse.load()
    assert (report.exit_code, report.tally.gaps) == (0, [])
    assert [text for text in report.tally.warnings if "dc_a: it had ended" in text]
    assert prove(warehouse)[1] == {"dc_a": ["complete"], "dc_a custom": ["complete"]}


def test_a_listed_source_that_is_not_found_has_not_ended_at_once(
    contract: Contract, warehouse: Warehouse, clock: Clock
) -> None:
    contract.stream("dc_b").emit(f"{START}-0")
    contract.stream("dc_a").emit_many(30, START)
    assert warehouse.load().exit_code == 0
    # Other failures neither count nor begin anew; an answer does.
    for n, reply in enumerate((GONE, GONE, Reply(b"", 500), None, GONE, GONE, Reply(b"", 500))):
        clock.ahead_s += HOUR
        break_stream(contract, reply, ("dc_a", ""))
        assert warehouse.load().exit_code == (3 if reply else 0), n
    break_stream(contract, GONE, ("dc_a", ""))
    clock.ahead_s += HOUR
    assert warehouse.load().exit_code == 0
    assert warehouse.status("dc_a") == ("ended",)
    # One that has ended may fail in other ways, too.
    break_stream(contract, Reply(b"", 500), ("dc_a", ""))
    clock.ahead_s += 25 * HOUR
    assert warehouse.load().exit_code == 0
    assert warehouse.status("dc_a") == ("ended",)


def test_what_lists_do_not_name_any_more_is_polled_on(
    contract: Contract, warehouse: Warehouse, clock: Clock
) -> None:
    contract.subscribe("dc_a", "orders", listener="p_w")
    for name in (("dc_a", ""), ("dc_a", "orders"), ("p_w", ""), ("p_w", "$errors")):
        contract.stream(*name).emit(f"{START}-0")
    assert warehouse.load().exit_code == 0
    # Deleted, or an answer that is empty by mistake: no list can tell.
    contract.lists["/users/me/sources"].clear()
    contract.lists["/users/me/subscriptions"].clear()
    for n in (1, 2):
        for stream in contract.streams.values():
            stream.emit(f"{START + n * 60_000}-0")
        clock.ahead_s += HOUR
        assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert len(warehouse.events("workflow_emits")) == len(warehouse.events("workflow_errors")) == 3
    code, standings = prove(warehouse)
    assert code == 0
    assert set(standings) == {"dc_a", "dc_a orders", "p_w", "p_w $errors"}


def test_what_the_user_narrowed_down_is_not_widened(
    contract: Contract, warehouse: Warehouse
) -> None:
    for name in ("dc_a", "dc_b"):
        contract.stream(name).emit(f"{START}-0")
    assert warehouse.load().exit_code == 0
    unlist(contract, "dc_b")
    contract.journal.clear()
    assert warehouse.load(source_ids=["dc_a"]).exit_code == 0
    assert warehouse.load(source_ids=["dc_a"], discover=False).exit_code == 0
    assert asked(contract, "dc_b") == 0


def test_a_later_since_is_no_hole_for_ever(
    contract: Contract, warehouse: Warehouse, clock: Clock
) -> None:
    contract.stream("dc_a").emit_many(20, START)
    assert warehouse.load().exit_code == 0
    clock.ahead_s = 2 * HOUR
    start = int(time.time() * 1000) - 600_000
    contract.stream("dc_a").emit_many(60, start)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start / 1000 + 30))
    assert warehouse.load(since=since).exit_code == 0
    assert 0 < len(warehouse.events()) < 80
    assert prove(warehouse) == (0, {"dc_a": ["complete", "excluded", "complete"]})


def test_a_lost_cursor_and_a_since_prove_nothing_in_between(
    contract: Contract, warehouse: Warehouse, clock: Clock
) -> None:
    """Of a full window that is read as a first one, nobody knows what came before it."""
    contract.stream("dc_a").emit_many(20, START)
    assert warehouse.load().exit_code == 0
    clock.ahead_s = 2 * HOUR
    start = int(time.time() * 1000) - 600_000
    contract.stream("dc_a").emit_many(150, start)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start / 1000 + 100))
    warehouse.pipeline().run(warehouse.source(since=since))
    stretches = "SELECT begins FROM stream_coverage ORDER BY opened_at"
    assert warehouse.rows(stretches) == [("origin",), ("window",)]
    assert prove(warehouse) == (4, {"dc_a": ["complete", "unobserved", "complete"]})
