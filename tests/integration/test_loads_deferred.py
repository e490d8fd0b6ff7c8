"""A wait that the API asks for binds the whole client: what is sent meanwhile is looked at."""

import json
import time
from functools import partial
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pipedream_source import PipedreamClient
from pipedream_source.cli.app import app
from pipedream_source.exceptions import Deferred
from tests.integration.contract import KEY, Contract, Reply, Warehouse

START = int(time.time() * 1000) - 3_600_000
WORKERS = 8


def throttled(seconds: int) -> Reply:
    return Reply(b'{"error":"Throttled"}', 429, {"Retry-After": str(seconds)})


def always(reply: Reply, _query: dict[str, str]) -> Reply:
    return reply


def windows(contract: Contract) -> list[str]:
    return [path for path, _ in contract.journal if path.endswith("/event_summaries")]


def many(contract: Contract, count: int) -> list[str]:
    names = [f"dc_{n:03}" for n in range(count)]
    for name in names:
        contract.stream(name).emit_many(3, START)
    return names


def test_nothing_is_sent_after_a_long_wait_was_asked_for(
    contract: Contract, warehouse: Warehouse
) -> None:
    names = many(contract, 300)
    for name in names:
        contract.stream(name).answers = partial(always, throttled(3600))
    report = warehouse.load()
    assert windows(contract) == ["/sources/dc_000/event_summaries"]
    assert (report.exit_code, report.tally.failed, report.tally.deferred) == (1, 300, 300)
    assert set(report.tally.errors) == set(names)
    told = warehouse.rows("SELECT failures, last_error LIKE '%deferred until%' FROM stream_status")
    assert sorted(told) == [(0, True)] * 299 + [(1, True)]
    for name in names:
        contract.stream(name).answers = None
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.rows("SELECT * FROM event_gaps") == []


def test_what_was_under_way_is_kept_and_nothing_follows(
    contract: Contract, warehouse: Warehouse
) -> None:
    names = many(contract, 60)
    contract.slow_s = 0.05
    asked_at: list[float] = []
    refused_at: list[float] = []
    for name in names:
        contract.stream(name).on_page = lambda: asked_at.append(time.monotonic())

    def refuse(_query: dict[str, str]) -> Reply:
        refused_at.append(time.monotonic())
        return throttled(3600)

    contract.stream(names[20]).answers = refuse
    report = warehouse.load(max_workers=WORKERS)
    assert (report.exit_code, len(refused_at)) == (3, 1)
    late = [at for at in asked_at if at > refused_at[0]]
    # These came before their threads could know: each had one request under way, and sent one more.
    assert len(late) < 2 * WORKERS
    assert report.tally.polled + report.tally.deferred == 60
    stored = {key[0] for key in warehouse.events()}
    # A page that was read is stored, also where the walk's next page was put off.
    assert report.tally.polled <= len(stored) < 40
    assert stored.isdisjoint(names[40:])
    contract.stream(names[20]).answers = None
    assert warehouse.load(max_workers=WORKERS).exit_code == 0
    assert warehouse.events() == contract.emitted()


def test_a_look_ends_with_the_wait_and_so_does_the_load(
    contract: Contract, warehouse: Warehouse
) -> None:
    names = many(contract, 10)
    for _ in range(3):
        assert warehouse.load().exit_code == 0
    contract.stream(names[4]).answers = partial(always, throttled(3600))
    contract.journal.clear()
    report = warehouse.load()
    assert windows(contract)[4:] == [f"/sources/{names[4]}/event_summaries"]
    assert contract.journal[-1][0] == f"/sources/{names[4]}/event_summaries"
    assert report.exit_code == 3
    # The workspace's numbers and the six streams that are left.
    assert (report.tally.polled, report.tally.deferred) == (4, 6)


def test_a_short_wait_is_waited_for_and_all_goes_on(
    contract: Contract, warehouse: Warehouse
) -> None:
    many(contract, 5)
    contract.broken["/users/me/sources", 0] = throttled(1)
    times: list[float] = []
    route = contract._route

    def once(path: str, query: dict[str, str]) -> Reply:
        times.append(time.monotonic())
        reply = route(path, query)
        contract.broken.clear()
        return reply if path != "/users/me" else route(path, query)

    contract.broken["/users/me/sources", 0] = throttled(1)
    contract._route = lambda path, query: (  # type: ignore[method-assign]
        once(path, query) if path == "/users/me/sources" else route(path, query)
    )
    report = warehouse.load(max_workers=1)
    assert report.exit_code == 0, report.as_dict()
    assert times[1] - times[0] >= 1
    assert warehouse.events() == contract.emitted()


@pytest.mark.parametrize("org", ["", "o_a"])
def test_a_list_that_asks_to_wait_binds_all_workspaces(
    contract: Contract, warehouse: Warehouse, org: str
) -> None:
    names = many(contract, 4)
    for one in ("o_a", "o_b"):
        contract.orgs.append(one)
        contract.lists[f"/orgs/{one}/sources"] = []
        contract.lists[f"/workspaces/{one}/subscriptions"] = []
    assert warehouse.load().exit_code == 0
    path = f"/orgs/{org}/sources" if org else "/users/me/subscriptions"
    contract.broken[path, 0] = throttled(3600)
    contract.journal.clear()
    report = warehouse.load()
    assert contract.journal[-1][0] == path
    assert [path for path, _ in contract.journal].count(path) == 1
    assert (report.exit_code, report.tally.deferred) == (1, 4)
    assert set(names) <= set(report.tally.errors)


def test_each_run_begins_with_the_streams_that_the_last_one_left_out(
    contract: Contract, warehouse: Warehouse
) -> None:
    """An API that allows four windows a run still shows all twelve within three."""
    names = many(contract, 12)
    assert warehouse.load().exit_code == 0
    for stream in contract.streams.values():
        stream.emit(f"{START + 60_000}-0")
    served: list[str] = []

    def limited(emitter: str, _query: dict[str, str]) -> Reply | None:
        if len(served) % 5 == 4:
            served.append("refused")
            return throttled(3600)
        served.append(emitter)
        return None

    for name in names:
        contract.stream(name).answers = partial(limited, name)
    # The date of an answer has whole seconds, by which polls are told apart.
    for _ in range(3):
        contract.date_s = (contract.date_s or time.time()) + 60
        warehouse.load(max_workers=1, only="events")
    assert warehouse.events() == contract.emitted()


def test_a_stream_that_alone_asks_to_wait_does_not_hide_the_others_for_ever(
    contract: Contract, warehouse: Warehouse
) -> None:
    names = many(contract, 5)
    contract.stream("p_late", "$errors").emit(f"{START}-0")
    contract.stream("p_late").emit(f"{START}-0")
    contract.subscribe("p_late")
    assert warehouse.load().exit_code == 0
    contract.stream(names[0]).answers = partial(always, throttled(3600))
    for n in range(3):
        for stream in contract.streams.values():
            stream.emit(f"{START + 60_000 * (n + 1)}-0")
        report = warehouse.load()
    assert (report.exit_code, report.tally.polled, report.tally.deferred) == (3, 6, 1)
    due = {key: event for key, event in contract.emitted().items() if key[0] != names[0]}
    assert {k: v for k, v in warehouse.events().items() if k[0] != names[0]} == due
    assert len(warehouse.events("workflow_errors")) == 4


def test_check_sends_nothing_more(contract: Contract) -> None:
    for name in many(contract, 6):
        contract.stream(name).answers = partial(always, throttled(3600))
    environment = {"PIPEDREAM_API_KEY": KEY, "PIPEDREAM_BASE_URL": contract.url}
    done = CliRunner(env=environment).invoke(app, ["check", "--json"])
    assert done.exit_code == 1
    assert len(windows(contract)) == 1
    streams = json.loads(done.stdout)["streams"]
    assert [s["outlook"] for s in streams] == ["unreadable"] * 6
    assert all("deferred until" in s["error"] for s in streams)


def test_the_clients_own_calls_wait_too(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(
        "pipedream_source.api.http.limiter.time", SimpleNamespace(monotonic=lambda: now)
    )
    contract.broken["/users/me/sources", 0] = throttled(3600)
    with PipedreamClient(KEY, base_url=contract.url) as client:
        with pytest.raises(Deferred) as caught:
            list(client.sources())
        assert not caught.value.unsent
        for call in (client.me, lambda: client.create_webhook("https://example.com")):
            with pytest.raises(Deferred, match="not sent, as the API asked to wait") as caught:
                call()
            assert caught.value.unsent
            assert not caught.value.may_have_landed
            assert caught.value.retry_at == pytest.approx(time.time() + 3600, abs=60)
        assert [path for path, _ in contract.journal] == ["/users/me/sources"]
        now += 3600
        assert client.me()["id"] == "u_me"
