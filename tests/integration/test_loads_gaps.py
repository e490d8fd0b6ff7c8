"""What a load says about completeness: every way in which events vanish, over five loads."""

import time
from collections.abc import Iterator

import duckdb
import pytest

from pipedream_source import coverage
from pipedream_source.running.report import LoadReport
from tests.integration.contract import HOUR, Contract, Stream, Warehouse

NOW = int(time.time() * 1000)
START = NOW - 6 * HOUR
LATER = NOW - 3 * HOUR
LAST = NOW - HOUR


class Story:
    """Four loads of streams to which different things happen."""

    def __init__(self, contract: Contract, warehouse: Warehouse) -> None:
        self.contract, self.warehouse = contract, warehouse
        self.reports: list[LoadReport] = []

    def stream(self, name: str) -> Stream:
        return self.contract.stream(f"dc_{name}")

    def load(self) -> None:
        self.reports.append(self.warehouse.load(fail_on_loss=True))

    def emitted(self, name: str) -> list[str]:
        return [row.id for row in self.stream(name).emitted]

    def loaded(self, name: str) -> list[str]:
        found = self.warehouse.rows(
            "SELECT id FROM source_event_summaries WHERE emitter_id = ? "
            "ORDER BY emitted_at, event_seq",
            f"dc_{name}",
        )
        return [row[0] for row in found]

    def gaps(self, name: str) -> list[tuple]:
        return self.warehouse.gaps(f"dc_{name}")

    def verdict(self, name: str) -> str:
        return self.warehouse.status(f"dc_{name}")[0]


STEADY = ("overrun", "ninetynine", "hundred", "purged", "some", "regressed", "unknown", "gone")


def begin(story: Story) -> None:
    for name in STEADY:
        story.stream(name).emit_many(50, START, 60_000)
    story.stream("late").emit_many(50, START, 60_000)
    for name in ("empty", "emptyfull", "emptyfew"):
        story.stream(name)


def change(story: Story) -> None:
    # 240 after 50: the window shows the last hundred, so 140 are lost.
    story.stream("overrun").emit_many(240, LATER, 30_000)
    story.stream("ninetynine").emit_many(99, LATER, 30_000)
    story.stream("hundred").emit_many(100, LATER, 30_000)
    story.stream("purged").shown = []
    some = story.stream("some")
    some.shown = []
    some.emit_many(10, LATER)
    regressed = story.stream("regressed")
    regressed.shown = []
    regressed.emit_many(7, START - HOUR)
    unknown = story.stream("unknown")
    unknown.shown, unknown.total = [], 37
    gone = story.stream("gone")
    gone.shown = gone.shown[-5:]
    gone.emit_many(3, LATER)
    story.stream("emptyfull").emit_many(150, LATER, 1000)
    story.stream("emptyfew").emit_many(3, LATER)
    late = story.stream("late")
    newest = START + 49 * 60_000
    late.emit(f"{newest - 59_000}-3", b'"late"')
    late.emit(f"{newest - 1}-0", b'"late, and near"')
    late.emit(f"{newest}-1", b'"next"')


def go_on(story: Story) -> None:
    for name in (*STEADY, "emptyfull", "emptyfew", "late"):
        story.stream(name).total = None
        if name != "purged":
            story.stream(name).emit_many(20, LAST, 1000)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Contract() as contract:
        told = Story(contract, Warehouse(tmp_path_factory.mktemp("gaps"), contract.url))
        for act in (begin, lambda _: None, change, lambda _: None, go_on):
            act(told)
            told.load()
        yield told


def test_exit_codes_tell_of_new_gaps_only(story: Story) -> None:
    assert [report.exit_code for report in story.reports] == [0, 0, 4, 0, 4]
    third = story.reports[2]
    assert {gap["emitter_id"] for gap in third.tally.gaps} == {
        f"dc_{n}" for n in ("overrun", "hundred", "purged", "some", "regressed", "unknown")
    } | {"dc_emptyfull"}
    assert [gap["emitter_id"] for gap in story.reports[4].tally.gaps] == ["dc_unknown"]
    third.fail_on_loss = False
    assert third.exit_code == 0


def test_an_overrun_is_recorded_once_with_a_range_that_holds_the_loss(story: Story) -> None:
    ((verdict, after, before, least, likely, most),) = story.gaps("overrun")
    emitted = story.emitted("overrun")
    assert (verdict, after, before) == ("overrun", emitted[49], emitted[-20 - 100])
    assert least <= 140 <= most
    assert least <= likely <= most
    assert story.loaded("overrun") == emitted[:50] + emitted[-120:]
    assert story.verdict("overrun") == "contiguous"
    assert story.warehouse.status("dc_overrun", "last_id") == (emitted[-1],)


def test_ninety_nine_new_events_are_no_gap(story: Story) -> None:
    assert story.gaps("ninetynine") == []
    assert story.loaded("ninetynine") == story.emitted("ninetynine")


def test_exactly_a_hundred_may_be_a_gap_of_none(story: Story) -> None:
    ((verdict, after, before, least, _, most),) = story.gaps("hundred")
    emitted = story.emitted("hundred")
    assert (verdict, after, before, least) == ("overrun", emitted[49], emitted[50], 0)
    assert most >= 0
    assert story.loaded("hundred") == emitted


def test_a_window_emptied_by_somebody_is_purged_once(story: Story) -> None:
    ((verdict, after, before, *_),) = story.gaps("purged")
    assert (verdict, after, before) == ("purged", story.emitted("purged")[-1], "")
    assert story.loaded("purged") == story.emitted("purged")


def test_a_window_emptied_and_filled_again_is_purged(story: Story) -> None:
    ((verdict, after, before, *_),) = story.gaps("some")
    emitted = story.emitted("some")
    assert (verdict, after, before) == ("purged", emitted[49], emitted[50])
    assert story.loaded("some") == emitted


def test_deleting_old_events_that_are_loaded_is_no_gap(story: Story) -> None:
    assert story.gaps("gone") == []
    assert story.loaded("gone") == story.emitted("gone")


def test_a_stream_whose_ids_went_back_is_loaded_whole(story: Story) -> None:
    (first,) = story.gaps("regressed")
    assert first[0] == "regressed"
    assert sorted(story.loaded("regressed")) == sorted(story.emitted("regressed"))
    assert story.verdict("regressed") == "contiguous"


def test_an_empty_page_that_claims_rows_proves_nothing(story: Story) -> None:
    assert [gap[0] for gap in story.gaps("unknown")][:1] == ["unknown"]
    emitted = story.emitted("unknown")
    assert story.loaded("unknown") == emitted
    # Its window shows twenty new rows and no old one: somebody deleted the others.
    assert story.verdict("unknown") == "purged"


def test_the_first_hundred_events_of_an_empty_stream_are_no_proof(story: Story) -> None:
    ((verdict, _, before, _, _, most),) = story.gaps("emptyfull")
    emitted = story.emitted("emptyfull")
    assert (verdict, before) == ("overrun", emitted[50])
    assert most is None or most >= 50
    assert story.loaded("emptyfull") == emitted[50:]


def test_the_first_few_events_of_an_empty_stream_are_whole(story: Story) -> None:
    assert story.gaps("emptyfew") == []
    assert story.loaded("emptyfew") == story.emitted("emptyfew")
    assert story.verdict("empty") == "contiguous"


def test_rows_that_become_visible_late_are_loaded_once(story: Story) -> None:
    assert sorted(story.loaded("late")) == sorted(story.emitted("late"))
    assert story.gaps("late") == []


def test_every_table_holds_each_key_once(story: Story) -> None:
    assert len(story.warehouse.events()) > 900
    keys = {
        "event_gaps": "emitter_id, channel, after_id, before_id, verdict, detected_at",
        "stream_status": "emitter_id, channel",
        "load_runs": "run_id",
        "sources": "id",
    }
    for table, key in keys.items():
        count = f"SELECT count(*), count(DISTINCT ({key})) FROM {table}"
        every, distinct = story.warehouse.one(count)
        assert every == distinct, table
    assert story.warehouse.one("SELECT count(*) FROM load_runs") == (5,)
    # No news is nearly free: the second and fourth load bring no rows.
    loads = story.warehouse.rows("SELECT events_new FROM load_runs ORDER BY started_at")
    assert [n for (n,) in loads][1::2] == [0, 0]


def test_a_gap_that_ends_beyond_any_calendar(contract: Contract, warehouse: Warehouse) -> None:
    """Ids of fifteen digits are ids; Python's calendar ends in the year 9999."""
    stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == 0
    for n in range(150):
        stream.emit(f"{900_000_000_000_000 + n}-0")
    assert warehouse.load(fail_on_loss=True).exit_code == 4
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    ((verdict, after, before, *_),) = warehouse.gaps("dc_a")
    assert (verdict, after, before) == ("overrun", f"{START + 49_000}-0", "900000000000050-0")
    with duckdb.connect(str(warehouse.database), read_only=True) as connection:
        periods = coverage(connection, dataset="pipedream")
    assert periods["standing"].tolist() == ["complete", "lost", "complete"]
    # What is proven of those ids is proven at the poll, and not until the year 9999.
    last = warehouse.one("SELECT max(covered_until) FROM stream_coverage")
    assert [*periods["end"]][1:] == [*last, *last] == [*periods["start"][2:], *last]
