"""A workspace that was loaded from five times: late rows, deletes, a gap, sources that change."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipedream_source import PipedreamClient
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load.load_run import run_load
from pipedream_source.sandbox import Sandbox
from tests.dbt.project import DATABASE, Dbt
from tests.dbt.truth import Truth

HOUR = 3_600


@dataclass
class World:
    """A database, and the truth about what is in it.

    Attributes:
        database: loaded, and built by dbt after each load.
        truth: what the sandbox showed at each load.
        first_build: the results of `dbt build` after the first load.
        late, overrun, purged, renamed, deleted: the emitters to which something happened.
    """

    database: Path
    truth: Truth
    first_build: list[dict[str, str]] = field(default_factory=list)
    late: str = ""
    overrun: str = ""
    purged: str = ""
    renamed: str = ""
    deleted: str = ""


def loaded(sandbox: Sandbox, target: Target, **selection: Any) -> int:
    """Load once and return the exit code."""
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url) as client:
        report = run_load(target, open_session(client, **selection))
    assert report.error is None, report.error
    return report.exit_code


def five_loads(folder: Path, dbt: Dbt, target: Target | None = None) -> World:
    """Load a sandbox five times into a new database, and run dbt after each load."""
    world = World(folder / DATABASE, Truth())
    target = target or Target(database=world.database)
    with Sandbox(seed=7) as sandbox:
        ids = {e["name"]: e["id"] for e in sandbox.state()["emitters"]}
        for happens in (_nothing, _late_rows, _overrun, _deletes, _changes):
            happens(sandbox, ids, world)
            world.truth.note(sandbox)
            assert loaded(sandbox, target) == 0
            world.truth.note_asked(sandbox)
            if world.first_build:
                dbt("run", database=world.database)
            else:
                world.first_build = dbt("build", database=world.database)
    return world


def _nothing(sandbox: Sandbox, ids: dict[str, str], world: World) -> None:
    """A first load."""


def _late_rows(sandbox: Sandbox, ids: dict[str, str], world: World) -> None:
    """Rows that become visible half a minute late: older than what was loaded before."""
    world.late = ids["Sensor gateway"]
    newest = sandbox.state()
    stream = next(e for e in newest["emitters"] if e["id"] == world.late)["channels"][""]
    before = int(stream["newest_id"].split("-")[0])
    for step in (1_000, 30_000):
        sandbox.emit(world.late, event={"late": step}, id=f"{before - step}-7")


def _overrun(sandbox: Sandbox, ids: dict[str, str], world: World) -> None:
    """A burst that overruns a window."""
    world.overrun = ids["Deploy hooks"]
    sandbox.emit(world.overrun, count=20, spread_s=600)
    sandbox.advance(HOUR / 2)


def _deletes(sandbox: Sandbox, ids: dict[str, str], world: World) -> None:
    sandbox.advance(HOUR)
    sandbox.emit(world.overrun, count=240, spread_s=900)
    world.purged = ids["Contact form"]
    sandbox.delete(world.purged)
    sandbox.emit(world.purged, count=3)


def _changes(sandbox: Sandbox, ids: dict[str, str], world: World) -> None:
    """Time passes; a source is renamed, and one is deleted."""
    sandbox.advance(HOUR)
    world.renamed, world.deleted = ids["Company blog"], ids["Newsletter signups"]
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url) as client:
        source = next(s for s in client.sources() if s["id"] == world.renamed)
        client.update_source(world.renamed, component_id=source["component_id"], name="The blog")
        client.delete_source(world.deleted)


def copied(database: Path, folder: Path) -> Path:
    """Copy a database into a folder, under the name that all have."""
    folder.mkdir()
    return Path(shutil.copy(database, folder / DATABASE))
