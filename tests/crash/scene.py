"""One workspace, one database, and what must be true of them after any crash."""

import itertools
import time
from pathlib import Path

import duckdb

from pipedream_source.certificate import Store, certify
from pipedream_source.cli.read.database import open_database
from tests.crash.nursery import KILLED, Ended, Nursery
from tests.integration.contract import Contract, Warehouse

START = int(time.time() * 1000) - 3 * 3_600_000
ROUND_MS, STEP_MS = 200_000, 700
PACKAGES = ("normalize/extracted", "load/new", "load/normalized", "load/loaded")
GAPS = "SELECT emitter_id, channel, after_id, verdict FROM event_gaps"
UNIQUE = {
    "load_runs": "run_id",
    "event_gaps": "emitter_id, channel, after_id, verdict",
    "stream_status": "emitter_id, channel",
    "stream_coverage": "emitter_id, channel, from_id, opened_at",
    "sources WHERE _dlt_valid_to IS NULL": "id",
    "subscriptions": "id",
    "workflows": "id",
    "users": "id, snapshot_at",
    "_dlt_pipeline_state": "version_hash, _dlt_load_id",
    "_dlt_loads": "load_id",
}


class Scene:
    """Emits, loads, kills and compares."""

    def __init__(self, workspace: Contract, warehouse: Warehouse, nursery: Nursery) -> None:
        self.workspace, self.warehouse, self.nursery = workspace, warehouse, nursery
        self._rounds = itertools.count()
        self._lost: set[tuple[str, str, str]] = set()

    @property
    def folder(self) -> Path:
        return self.warehouse.target.folder

    def emit(self, count: int = 15) -> None:
        """Let every stream emit, and every source change."""
        number = next(self._rounds)
        for stream in self.workspace.streams.values():
            stream.emit_many(count, START + number * ROUND_MS, STEP_MS)
        for listed in self.workspace.lists["/users/me/sources"]:
            listed["updated_at"] = number

    def load(self, **environment: str) -> Ended:
        return self.nursery.run(self.warehouse, **environment)

    def load_well(self, **environment: str) -> Ended:
        ended = self.load(**environment)
        assert ended.code == 0, ended.told
        return ended

    def forget(self) -> None:
        """Let the API throw away everything that it shows."""
        for stream in self.workspace.streams.values():
            stream.shown = []

    def packages(self) -> set[str]:
        """Return the ids of all packages that were ever committed and are still around."""
        found = (self.folder / "pipedream_events" / place for place in PACKAGES)
        return {path.name for place in found if place.is_dir() for path in place.iterdir()}

    def packages_waiting(self) -> set[str]:
        found = (self.folder / "pipedream_events" / place for place in PACKAGES[::2])
        return {path.name for place in found if place.is_dir() for path in place.iterdir()}

    def kill(self, at: str, *, may_pass: bool = False) -> bool:
        """Kill a load there; return whether what it polled was committed before.

        Threads take turns: what the n-th passage was in one run may be missing in another.
        """
        before = self.packages()
        ended = self.load(CRASH_AT=at)
        missed = may_pass and ended.code == 0
        assert ended.code == KILLED or missed, f"{at} was never reached: {ended.told}"
        return self.packages() - before != set()

    def recover(self, *, forgotten: bool) -> None:
        """Load again, when the API has forgotten what the killed load saw or still shows it."""
        streams = self.workspace.streams.values()
        newest = {(s.emitter, s.channel): s.emitted[-1].id for s in streams}
        gaps = self.gaps()
        if forgotten:
            self.forget()
            self.emit(5)
        self.load_well()
        self.check()
        # Whoever forgets can be caught only by the cursor of the load that was killed.
        expected = (
            {(*stream, newest[stream], "purged") for stream in newest} if forgotten else set()
        )
        assert self.gaps() - gaps == expected

    def gaps(self) -> set[tuple[str, str, str, str]]:
        if not self.warehouse.database.exists():
            return set()
        try:
            return set(self.warehouse.rows(GAPS))
        except duckdb.CatalogException:  # the tables come with the first load
            return set()

    def check(self) -> None:
        """Compare the tables with all that was ever emitted; no key may stand there twice."""
        assert self.warehouse.events() == self.workspace.emitted()
        emits, errors = (self.warehouse.events(f"workflow_{kind}") for kind in ("emits", "errors"))
        assert {**emits, **errors} == self.workspace.emitted(workflows=True)
        for table, key in UNIQUE.items():
            query = f"SELECT count(*), count(DISTINCT ({key})) FROM {table}"
            every, distinct = self.warehouse.one(query)
            assert every == distinct > 0 or (table, every) == ("event_gaps", 0), table
        # A stretch never claims more events than are stored.
        with open_database(self.warehouse.database, "pipedream") as reader:
            proven = certify(Store(reader.rows, reader.tables)).streams
        assert not [s for p in proven for s in p.segments if "not in the tables" in s.why]
        current = "SELECT id, epoch(updated_at)::INT FROM sources WHERE _dlt_valid_to IS NULL"
        listed = self.workspace.lists["/users/me/sources"]
        assert dict(self.warehouse.rows(current)) == {s["id"]: s["updated_at"] for s in listed}
