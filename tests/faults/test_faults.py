"""Whatever one stream suffers, no other does; what is kept, told and mended is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.faults.fault import Fault, Key
from tests.faults.groups import FLAGS, GROUPS
from tests.faults.world import Begin, World

GetWorld = Callable[..., World]
FAULTS = {fault.name: (group.world, fault) for group in GROUPS for fault in group.faults}
# A first load has no cursor and no history, and writes its tables in another way. A quiet stream is
# asked for a few rows first, which a fault must not make look like all there is.
BEGINS: tuple[Begin, ...] = ("later", "first", "quiet")
DAILY = {*(("later", world) for world in FLAGS), ("quiet", "pages")}


def cases(*, is_alone: bool) -> list[ParameterSet]:
    found = []
    for name, (world, fault) in FAULTS.items():
        for begin in BEGINS:
            if not is_met(fault, begin) or (fault.is_long and not is_alone):
                continue
            is_rare = is_alone or (begin, world) not in DAILY
            marks = [pytest.mark.chaos] if is_rare else []
            found.append(pytest.param(fault, begin, id=f"{name}-{begin}", marks=marks))
    return found


def is_met(fault: Fault, begin: Begin) -> bool:
    return begin != "first" or not fault.needs_before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GetWorld]:
    """Give the world in which many faults happen in the same load."""
    worlds: dict[tuple[str, Begin], World] = {}

    def get(name: str, begin: Begin) -> World:
        if (name, begin) not in worlds:
            faults = [
                fault
                for world, fault in FAULTS.values()
                if world == name and not fault.is_long and is_met(fault, begin)
            ]
            folder = tmp_path_factory.mktemp(name)
            worlds[name, begin] = World(folder, faults, begin, flags=FLAGS[name])
        return worlds[name, begin]

    yield get
    for world in worlds.values():
        world.close()


@pytest.mark.parametrize(("fault", "begin"), cases(is_alone=False))
def test_in_the_midst_of_others(shared: GetWorld, fault: Fault, begin: Begin) -> None:
    examine(shared(FAULTS[fault.name][0], begin), fault)


@pytest.mark.parametrize(("fault", "begin"), cases(is_alone=True))
def test_alone(tmp_path: Path, fault: Fault, begin: Begin) -> None:
    world = World(tmp_path, [fault], begin, flags=FLAGS[FAULTS[fault.name][0]])
    try:
        assert world.broken.code == fault.exit_code, world.broken.err
        examine(world, fault)
    finally:
        world.close()


@pytest.mark.parametrize(
    ("begin", "name"),
    [
        pytest.param(begin, name, marks=[] if (begin, name) in DAILY else [pytest.mark.chaos])
        for begin in BEGINS
        for name in FLAGS
    ],
)
def test_the_loads_as_a_whole(shared: GetWorld, begin: Begin, name: str) -> None:
    world = shared(name, begin)
    loads = [world.broken, world.healed]
    assert [load.code for load in loads] == [max(f.exit_code for f in world.faults), 0]
    for load in loads:
        assert not set(load.out + load.err) & {"\x1b", "\x07", "\0"}


def examine(world: World, fault: Fault) -> None:
    isolates(world, fault)
    tells(world, fault)
    keeps(world, fault)
    heals(world, fault)
    if fault.check:
        fault.check(world, world.victims[fault.name])


def isolates(world: World, fault: Fault) -> None:
    """Nothing happens to the stream beside it, not even later."""
    neighbour = world.neighbours[fault.name]
    emitter = neighbour.stream.emitter
    assert world.broken.events(emitter) == world.due[emitter]
    assert world.healed.events(emitter) == neighbour.expected
    for load in (world.broken, world.healed):
        assert load.of("gaps", emitter) == load.of("quarantine", emitter) == []
    assert emitter not in world.broken.report["failures"]


def tells(world: World, fault: Fault) -> None:
    emitter = world.victims[fault.name].stream.emitter
    report = world.broken.report
    assert (emitter in report["failures"]) == (fault.exit_code == 3), report["failures"].get(
        emitter
    )
    if fault.exit_code == 3:
        assert fault.told in report["failures"][emitter], report["failures"][emitter]
    lines = [line for line in world.broken.err.splitlines() if f"{emitter}" in line]
    mine = [line for line in lines if f"{emitter}Beside" not in line]
    assert bool(mine) == bool(fault.told or fault.exit_code), mine
    assert not fault.told or any(fault.told in line for line in mine), mine


def keeps(world: World, fault: Fault) -> None:
    emitter = world.victims[fault.name].stream.emitter
    load, had, due = world.broken, world.had[emitter], world.due[emitter]
    assert load.events(emitter) == had | newest(due, len(had), fault.stored)
    assert len(load.of("quarantine", emitter)) == len(fault.aside), load.of("quarantine", emitter)
    for reason, row in zip(sorted(fault.aside), load.of("quarantine", emitter), strict=True):
        assert reason in row[0]
    assert tuple(row[0] for row in load.of("gaps", emitter)) == fault.gaps
    ((verdict, last_id, failures, last_error),) = load.of("status", emitter)
    first = world.before is None and fault.verdict == "contiguous"
    assert verdict == ("first" if first else fault.verdict)
    assert failures == (fault.exit_code == 3)
    assert (last_error is not None) == (fault.exit_code == 3)
    if fault.stored == 0:
        assert last_id == (list(had)[-1][1] if had else None), "the cursor must not move"
    if fault.asked is not None:
        # A first walk does not take a short page for the whole, and asks for the next. Of a quiet
        # stream the first few rows may prove too little, and where few do for the first time the
        # window is read whole as well.
        more = {"first": {1}, "later": {0}, "quiet": {1, 2}}[world.begin]
        assert world.asked[emitter] - fault.asked in ({0} if fault.exit_code else more)


def newest(due: dict[Key, bytes | None], had: int, stored: int | None) -> dict[Key, bytes | None]:
    """Return the newest events of the round, all of them if no number is given."""
    start = had if stored is None else len(due) - stored
    return dict(islice(due.items(), start, None))


def heals(world: World, fault: Fault) -> None:
    """The next load brings all that is missing, and nothing twice."""
    victim = world.victims[fault.name]
    emitter, load = victim.stream.emitter, world.healed
    assert load.events(emitter) == victim.expected
    assert load.of("quarantine", emitter) == world.broken.of("quarantine", emitter)
    assert load.of("gaps", emitter) == world.broken.of("gaps", emitter)
    ((verdict, _, failures, last_error),) = load.of("status", emitter)
    assert verdict in ("contiguous", "first")
    assert (failures, last_error) == (0, None)
