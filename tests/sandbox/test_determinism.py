"""The same seed and the same calls give the same bytes, however the clock was moved."""

from __future__ import annotations

from collections import Counter

import pytest

from pipedream_source.sandbox import Sandbox
from pipedream_source.sandbox.protocol.clock import DEFAULT_START
from pipedream_source.sandbox.world.seeding import seeded_workspace

START_MS = round(DEFAULT_START.timestamp() * 1000)
HOUR_MS = 3_600_000


def everything(get, sandbox: Sandbox) -> str:
    texts = [get("/users/me").text]
    texts += [get(f"/{scope}/sources", limit=100).text for scope in ("users/me",)]
    for emitter in sandbox.state()["emitters"]:
        kind = f"{emitter['type']}s"
        for channel in emitter["channels"]:
            path = f"/{kind}/{emitter['id']}/event_summaries"
            texts.append(get(path, event_name=channel, limit=100, expand="event").text)
    return "\n".join(texts)


def test_a_reset_gives_the_same_bytes_again(get, sandbox, quiet):
    def play() -> str:
        sandbox.emit(quiet, count=3)
        sandbox.advance(1800)
        sandbox.add_emitters(2, events=2)
        return everything(get, sandbox)

    first = play()
    sandbox.reset()
    assert play() == first
    sandbox.reset(seed=8)
    assert everything(get, sandbox) != first


def test_two_servers_with_one_seed_agree(sandbox):
    with Sandbox(seed=7) as other:
        assert other.state() == sandbox.state()
        assert (other.api_key, other.org_id) == (sandbox.api_key, sandbox.org_id)


def test_another_seed_keeps_the_keys(sandbox):
    before = sandbox.org_id
    sandbox.reset(seed=99)
    assert sandbox.org_id != before
    assert sandbox.state()["seed"] == 99
    sandbox.reset(seed=7)
    assert sandbox.org_id == before


def test_steps_do_not_matter(get, sandbox):
    sandbox.advance(3600)
    at_once = everything(get, sandbox)
    sandbox.reset()
    for _ in range(60):
        sandbox.advance(60)
    assert everything(get, sandbox) == at_once


def test_steps_do_not_matter_though_events_are_ordered(sandbox, ids):
    def play(steps: list[int]) -> list[str]:
        sandbox.reset()
        sandbox.emit(ids["Shop orders"], count=3)
        for step in steps:
            sandbox.advance(step)
        return [str(emitter["channels"]) for emitter in sandbox.state()["emitters"]]

    assert play([7200]) == play([1, 59, 3540, 3600])


def hourly_counts(seed: int, hours: int) -> dict[tuple[str, str], Counter[int]]:
    """Count the events of each stream hour by hour."""
    workspace = seeded_workspace(seed, START_MS)
    counts: dict[tuple[str, str], Counter[int]] = {}
    before: Counter[tuple[str, str]] = Counter()
    for hour in range(hours + 1):
        workspace.run_until(START_MS + hour * HOUR_MS)
        for emitter in workspace.emitters.values():
            for channel, stream in emitter.streams.items():
                key = (emitter.name, channel)
                if hour:
                    counts.setdefault(key, Counter())[hour] = stream.emitted - before[key]
                before[key] = stream.emitted
    return counts


@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.chaos)])
def test_no_stream_outruns_an_hourly_poll(seed):
    counts = hourly_counts(seed, 72)
    assert max(max(hours.values()) for hours in counts.values()) <= 70
    busy = [key for key, hours in counts.items() if 20 <= hours[1] <= 60]
    assert len(busy) >= 4


def test_the_pre_rolled_windows_hold_data():
    workspace = seeded_workspace(7, START_MS)
    streams = [s for emitter in workspace.emitters.values() for s in emitter.streams.values()]
    assert sum(len(stream.rows) == 100 for stream in streams) >= 10
    assert sum(0 < len(stream.rows) < 100 for stream in streams) >= 5
    assert all(row.key.ms <= START_MS for stream in streams for row in stream.rows)
    assert not workspace.emitters[next(iter(workspace.emitters))].record.get("user_id")
