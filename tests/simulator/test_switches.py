"""The promise holds under every value of every switch of the sandbox that concerns reading.

The values are those of the one list of switches: a switch that is added there is tested here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipedream_source.sandbox import Sandbox
from pipedream_source.sandbox.protocol.switches import CHANGING, allowed_values, reading_values
from tests.simulator.promise import read_tables
from tests.simulator.world import CUSTOM, OK, Loader, World

VALUES = reading_values()
#: The defaults, then each switch's second value, and so on; the readings of channels also alone.
SETTINGS: list[dict[str, str]] = [
    *(
        {name: values[min(n, len(values) - 1)] for name, values in VALUES.items()}
        for n in range(max(map(len, VALUES.values())))
    ),
    {"default_read": "custom_too"},
    {"event_name": "ignored"},
    {"default_read": "custom_too", "event_name": "ignored"},
    {"default_read": "custom_too", "order": "shuffled", "after": "inclusive"},
]
#: Loads ask for the custom channel by name, which only the readings of channels can take notice of.
NAMED = [s for n, s in enumerate(SETTINGS) if n < 2 or s.keys() <= {"default_read", "event_name"}]
LIVES = [(s, False) for s in SETTINGS] + [(s, True) for s in NAMED]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def loader() -> Iterator[Loader]:
    with Loader() as running:
        yield running


def test_no_switch_is_left_out() -> None:
    tested = {(name, value) for setting in SETTINGS for name, value in setting.items()}
    known = allowed_values()
    assert known.keys() >= CHANGING
    assert tested == {(n, v) for n, values in known.items() if n not in CHANGING for v in values}


@pytest.mark.parametrize(("setting", "names_custom"), LIVES, ids=range(len(LIVES)))
def test_a_life_under_each_switch(
    sandbox: Sandbox, loader: Loader, tmp_path: Path, setting: dict[str, str], names_custom: bool
) -> None:
    """Each channel is overrun while the others are quiet; each load checks the whole promise."""
    sandbox.reset(seed=7)
    world = World(sandbox, loader, tmp_path)
    world.names_custom = names_custom
    world.switch(**setting)
    for kind in ("source", "workflow"):
        world.add_emitter(kind, "by_id")
    streams = world.streams
    for stream in streams:
        world.emit(stream, 50, 60, "null")
    assert world.load() == OK
    for busy, quiet in ((streams[::2], streams[1::2]), (streams[1::2], streams[::2])):
        for stream in busy:
            world.emit(stream, 150, 600, "null")
            world.emit_on(stream, 3, "null")
        for stream in quiet:
            world.emit(stream, 1, 0, "null")
        assert world.load() == OK
    if any(map(world.is_cut_off, world.living)):
        return  # Nothing can be proven there, and the certificate says so.
    told = {(gap.emitter, gap.channel) for gap in read_tables(world.database).gaps}
    assert told == {(s.emitter, s.channel) for s in streams if s.first}
    unseen = {s.channel for s in streams if s.first is None}
    shows_all = setting.get("default_read") == "custom_too"
    is_obeyed = setting.get("event_name") != "ignored"
    assert unseen == (set() if shows_all or (names_custom and is_obeyed) else {CUSTOM})
