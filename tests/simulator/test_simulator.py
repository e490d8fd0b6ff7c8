"""A machine that does to the API, the network and the loads whatever can happen, and then checks.

Hypothesis chooses the steps, and prints those that broke the promise. They follow from the seed in
the test's name alone, so that `-k "[7]"` does them again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pipedream_source.sandbox import Sandbox
from pipedream_source.sandbox.protocol.switches import reading_values
from tests.simulator.model import Stream
from tests.simulator.world import LIE, OK, Loader, World

MOST_EMITTERS = 7
CHANGES_OF_FILES = 260
CHOICE = st.integers(0, 9)
RETENTION = st.sampled_from(["by_id", "by_arrival"])
COUNTS = st.sampled_from([1, 3, 40, 60, 99, 100, 101, 130, 250])
ODD = st.sampled_from(
    ["null", "[1,  2]", "1e400", "NaN", r'"\ud83d"', r'"\u0000é"', '{"_dlt_id":1,"_DLT_ID":2}']
)
WINDOWS = ["/v1/*/event_summaries", "/v1/sources/*/event_summaries"]
PATHS = st.sampled_from([*WINDOWS, "/v1/users/me/*", "/v1/orgs/*", "/v1/*"])
FAULTS = st.sampled_from(
    [
        {"status": 500},
        {"status": 404},
        {"status": 401},
        {"status": 429, "headers": {"retry-after": "0"}},
        {"status": 429, "headers": {"retry-after": "9999"}},
        {"html": True},
        {"body": "{}"},
        {"body": '{"data":null}'},
        {"body": LIE},
        {"body": "not JSON"},
        {"body": ""},
        {"truncate": 20},
        {"reset": "before"},
        {"reset": "after"},
        {"reset": "body"},
        {"headers": {"date": None}},
    ]
)
SWITCHES = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in reading_values().items()}
)


#: What happens, with the arguments that are drawn for it and how often it happens.
STEPS: dict[str, tuple[int, st.SearchStrategy]] = {
    "pause": (1, st.tuples(st.sampled_from([1, 70, 3_700, 90_000]))),
    "emit": (8, st.tuples(CHOICE, COUNTS, st.sampled_from([0, 5, 2000]), ODD)),
    "everyone_emits": (4, st.tuples(st.sampled_from([1, 70, 3_700, 90_000]), ODD)),
    "trickle": (4, st.tuples(st.sampled_from([70, 300, 3_700]), st.integers(1, 3), ODD)),
    "emit_late": (4, st.tuples(CHOICE, st.integers(1, 59_000))),
    "delete": (2, st.tuples(CHOICE, st.sampled_from(["all", "newest", "oldest", "middle"]))),
    "add_emitter": (
        2,
        st.tuples(st.sampled_from(["source", "workflow"]), RETENTION, st.booleans()),
    ),
    "remove_source": (1, st.tuples()),
    "set_clock": (1, st.tuples(st.sampled_from([0, -7_200, 7_200, -400_000, 90_000]))),
    "fault": (4, st.tuples(PATHS, FAULTS, st.sampled_from([1, 2, 6]))),
    "switch": (1, st.tuples(SWITCHES)),
    "forget_folder": (1, st.tuples()),
    "change_machine": (1, st.tuples()),
    "emit_on": (1, st.tuples(CHOICE, COUNTS, ODD)),
    "name_custom": (1, st.tuples(st.booleans())),
    "load": (4, st.tuples()),
    "die": (4, st.tuples(st.integers(1, CHANGES_OF_FILES))),
    "load_while_locked": (1, st.tuples()),
}
NAMES = [name for name, (weight, _) in STEPS.items() for _ in range(weight)]
ORDERS = st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), STEPS[name][1]))


class Simulator(RuleBasedStateMachine):
    """One life of a workspace and the database that it is loaded into."""

    sandbox: ClassVar[Sandbox]
    loader: ClassVar[Loader]

    def __init__(self) -> None:
        super().__init__()
        self.sandbox.reset(seed=7)
        self.folder = TemporaryDirectory()
        self.world = World(self.sandbox, self.loader, Path(self.folder.name))
        self.removed: list[str] = []
        for retention in ("by_id", "by_arrival"):
            self.world.add_emitter("source", retention)
        self.world.add_emitter("workflow", "by_id")

    @rule(order=ORDERS)
    def step(self, order: tuple[str, tuple]) -> None:
        """A single rule, as Hypothesis would leave some of several rules out of a whole life."""
        name, arguments = order
        getattr(self, name)(*arguments)

    def stream(self, choice: int) -> Stream:
        streams = self.world.streams
        return streams[choice % len(streams)]

    def pause(self, seconds: float) -> None:
        self.world.advance(seconds)

    def emit(self, choice: int, count: int, spread_s: float, odd: str) -> None:
        self.world.emit(self.stream(choice), count, spread_s, odd)

    def everyone_emits(self, seconds: float, odd: str) -> None:
        self.world.advance(seconds)
        for n, stream in enumerate(self.world.streams):
            self.world.emit(stream, 7 * n + 1, min(seconds, 600), odd)

    def trickle(self, seconds: float, every: int, odd: str) -> None:
        """Let some streams emit one event, so that a few rows can prove the next overlap."""
        self.world.advance(seconds)
        for stream in self.world.streams[::every]:
            self.world.emit(stream, 1, 0, odd)

    def emit_late(self, choice: int, late_ms: int) -> None:
        self.world.emit_late(self.stream(choice), late_ms)

    def delete(self, choice: int, part: str) -> None:
        stream = self.stream(choice)
        if stream.kept:
            places = [event.place for event in stream.kept]
            a, b = places[len(places) // 3], places[len(places) * 2 // 3]
            ends = {"all": (None, None), "newest": (b, None), "oldest": (None, a), "middle": (a, b)}
            self.world.delete(stream, *ends[part])

    def add_emitter(self, kind: str, retention: str, is_back: bool) -> None:
        """Create one, or make a deleted source anew under its id."""
        if len(self.world.living) < MOST_EMITTERS:
            self.world.advance(2)
            is_back = is_back and kind == "source" and bool(self.removed)
            is_back = is_back and self.world.is_gone(self.removed[-1])
            self.world.add_emitter(kind, retention, self.removed.pop() if is_back else None)

    def remove_source(self) -> None:
        sources = [emitter for emitter in self.world.living if emitter.startswith("dc_")]
        if len(sources) > 1:
            self.world.remove_source(sources[0])
            self.removed.append(sources[0])

    def set_clock(self, skew_s: int) -> None:
        """Let this machine's clock jump; the API's goes on."""
        self.world.skew_s = skew_s

    def fault(self, path: str, fault: dict, count: int) -> None:
        """Let the next calls fail; after a load all is well again."""
        self.world.fault(path=path, count=count, **fault)

    def switch(self, switches: dict[str, str]) -> None:
        self.world.switch(**switches)

    def emit_on(self, choice: int, count: int, odd: str) -> None:
        """Let events come with the ids of a clock that stands still."""
        self.world.emit_on(self.stream(choice), count, odd)

    def name_custom(self, is_named: bool) -> None:
        """Let loads ask for the custom channel by its name, or leave that."""
        self.world.names_custom = is_named

    def forget_folder(self) -> None:
        self.world.forget_folder()

    def change_machine(self) -> None:
        """Let another machine load to the database from now on, or the first one again."""
        self.world.change_machine()

    def load(self) -> None:
        self.world.load()

    def die(self, die_at: int) -> None:
        """Let a load be killed (`kill -9`) at its n-th operation on a file."""
        self.world.load(die_at=die_at)

    def load_while_locked(self) -> None:
        """Load while somebody else writes to the database."""
        self.world.load(is_locked=True)

    def teardown(self) -> None:
        sys.stdout.write(f"exit codes {self.world.ends}, {self.world.ranges}\n")
        try:
            if self.world.ends:
                self.world.load()
                assert self.world.load() == OK, self.world.errors
        finally:
            self.folder.cleanup()


@pytest.fixture(scope="module")
def machine() -> Iterator[type[Simulator]]:
    with Sandbox() as sandbox, Loader() as loader:
        yield type("Simulator", (Simulator,), {"sandbox": sandbox, "loader": loader})


def simulate(
    machine: type[Simulator], number: int, *, lives: int, steps: int, shrinks: bool
) -> None:
    run_state_machine_as_test(
        seed(number)(type("Simulator", (machine,), {})),
        settings=settings(
            # The first life of all is an empty one.
            max_examples=lives + 1,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink] if shrinks else [Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


@pytest.mark.parametrize("number", [1])
def test_the_promise_holds(machine: type[Simulator], number: int) -> None:
    simulate(machine, number, lives=1, steps=60, shrinks=False)


@pytest.mark.chaos
@pytest.mark.timeout(10_800)
@pytest.mark.parametrize("number", range(100, 120))
def test_the_promise_holds_for_long(machine: type[Simulator], number: int) -> None:
    """Many lives, and the steps of one that breaks the promise are shortened for an hour."""
    simulate(machine, number, lives=6, steps=100, shrinks=True)


# What once broke the promise, shortened: these lives are led every time.
FOUND = {
    "killed while the cursors are restored into a new working folder": [
        ("everyone_emits", (70, "1")),
        ("load", ()),
        ("everyone_emits", (90_000, "1")),
        ("forget_folder", ()),
        ("die", (8,)),
        ("emit", (2, 99, 5, "1")),
        ("load", ()),
    ],
}


@pytest.mark.parametrize("life", FOUND)
def test_what_once_broke_the_promise(machine: type[Simulator], life: str) -> None:
    simulator = machine()
    for name, arguments in FOUND[life]:
        getattr(simulator, name)(*arguments)
    simulator.teardown()
