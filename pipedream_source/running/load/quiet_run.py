"""A run that finds nothing new: it is recorded without dlt, and without a load package.

Most polls of most schedules bring nothing. What such a run has to write is one row of `load_runs`,
the times of `stream_status` and `stream_coverage` and what has been used: one small transaction in
the DuckDB file, where a package takes a second of work, and the cursors' state in the working
folder. Whatever is out of the ordinary (another destination, a file that somebody wrote to, a
pending package, a lock, news) is left to the ordinary way, which then uses what was polled.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pipedream_source.resources.events.preview import look
from pipedream_source.resources.objects.snapshots import user_rows, workspace_rows
from pipedream_source.resources.polls.outcome import Outcome
from pipedream_source.resources.schema.tables import (
    EVENT_GAPS,
    EVENT_TABLES,
    LOAD_RUNS,
    QUARANTINE,
    STREAM_COVERAGE,
    STREAM_STATUS,
    USERS,
    WORKFLOWS,
    WORKSPACES,
    Table,
    row_id,
)
from pipedream_source.running.context import Run
from pipedream_source.running.destination.target import Target
from pipedream_source.running.duckdb.storage import set_for_writing
from pipedream_source.running.packages.package_folders import holds_packages
from pipedream_source.running.state.reread import streams_to_reread
from pipedream_source.settings import DESCRIPTIONS

if TYPE_CHECKING:
    import duckdb

Row = Mapping[str, Any]


class _Resource(msgspec.Struct):
    streams: dict[str, dict[str, Any]] = {}


class _SourceState(msgspec.Struct):
    last_load_id: str
    resources: dict[str, _Resource]
    workflows: dict[str, dict[str, Any]] = {}
    salt: str | None = None


class _Sources(msgspec.Struct):
    pipedream: _SourceState


class _State(msgspec.Struct):
    sources: _Sources


_ROWS = "SELECT unnest(from_json($1, $2), recursive := true)"
_COLUMNS = (
    "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?"
)
# Rows go to DuckDB as JSON, which takes it a dozen kilobytes of memory each.
_ROWS_AT_ONCE = 1_000


def found_nothing_new(run: Run) -> bool:
    """Look at every list and window; record the run if there is nothing to load.

    Args:
        run: its target is locked by the caller.

    Returns:
        Whether the run is complete. If not, its session has what was polled, and nothing was
        written.

    Raises:
        PipedreamError: the key is wrong or the API cannot be reached.
    """
    if run.options.only == "entities" or run.session.options.full_window:
        return False
    state = _state_of(run.target)
    if state is None:
        return False
    source_state = state["sources"]["pipedream"]
    reads_objects = run.options.only != "events" and run.session.selection.discover
    run.session.set_reread(streams_to_reread(run.target))
    outcomes = look(run.session, source_state, reads_objects=reads_objects)
    if outcomes is None:
        return False
    load_id = source_state["last_load_id"]
    path = run.target.working_dir / "state.json"
    fresh = _prepared(path, msgspec.json.encode(state))
    try:
        if not _recorded(run, outcomes, load_id):
            return False
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    run.target.remember(load_id)
    _count(run, outcomes)
    return True


def _state_of(target: Target) -> dict[str, Any] | None:
    """Read dlt's state of the target; None unless the database is as that state left it."""
    folder = target.working_dir
    if target.first_load.exists() or holds_packages(folder):
        return None
    if not target.described_as.startswith(DESCRIPTIONS):
        return None  # an older version made it
    try:
        content = (folder / "state.json").read_bytes()
        # Its shape is checked as far as it is used; whatever else it holds is kept.
        msgspec.json.decode(content, type=_State)
        state = msgspec.json.decode(content, type=dict[str, Any])
    except (OSError, ValueError):
        return None
    return state if target.is_untouched(state["sources"]["pipedream"]["last_load_id"]) else None


def _count(run: Run, outcomes: Sequence[Outcome]) -> None:
    """Report what the look came to as a load would."""
    tally = run.session.tally
    tally.add_polled(len(outcomes))
    for table in (*EVENT_TABLES, EVENT_GAPS, QUARANTINE):
        tally.add_rows(table.name, 0)
    run.report.loaded = True


def _recorded(run: Run, outcomes: Sequence[Outcome], load_id: str) -> bool:
    """Write the run's row and the streams' times; False if the database cannot be had now."""
    import duckdb

    snapshots = _snapshots(run)
    row = {**run.row(), "streams_polled": len(outcomes), "_dlt_load_id": load_id}
    if not run.target.is_untouched(load_id):
        return False  # somebody wrote to it while the look was at work
    try:
        with duckdb.connect(str(run.target.database)) as database:
            set_for_writing(database)
            scribe = _Scribe(database, run.target.dataset)
            database.begin()
            if not scribe.holds(load_id):
                return False
            if not _polls_recorded(scribe, outcomes, load_id):
                database.rollback()
                return False
            seen = datetime.now(UTC)
            workflows = run.session.account.found_workflows
            scribe.update(WORKFLOWS, [{"id": w, "last_seen_at": seen} for w in workflows])
            scribe.insert(LOAD_RUNS, {**row, "_dlt_id": row["run_id"]})
            for table, usage in snapshots:
                marks = {"_dlt_load_id": load_id, "_dlt_id": row_id(table, usage, load_id)}
                scribe.insert(table, {**usage, **marks})
            database.commit()
    except duckdb.Error:
        # Locked, or not as we left it: dlt's way waits, and says what is wrong.
        return False
    return True


def _polls_recorded(scribe: _Scribe, outcomes: Sequence[Outcome], load_id: str) -> bool:
    """Write when streams were polled; False if rows are missing, which a package writes anew."""
    # These rows name the package that the look confirms.
    mark = {"_dlt_load_id": load_id}
    scribe.update(STREAM_STATUS, [{**o.status, **mark} for o in outcomes])
    covered = [{**o.coverage, **mark} for o in outcomes if o.coverage]
    return scribe.update(STREAM_COVERAGE, covered) == len(outcomes)


def _snapshots(run: Run) -> Sequence[tuple[Table, Row]]:
    """Return what the user and the workspaces have used, as each load does."""
    if run.options.only == "events":
        return []
    users = [(USERS, row) for row in user_rows(run.session)]
    return users + [(WORKSPACES, row) for row in workspace_rows(run.session)]


class _Scribe:
    """Writes rows given as dicts; types are those that the tables have."""

    def __init__(self, database: duckdb.DuckDBPyConnection, dataset: str) -> None:
        self._database = database
        self._dataset = dataset

    def holds(self, load_id: str) -> bool:
        """Tell whether a load stands in the database: another file may have taken its place."""
        query = f"SELECT 1 FROM {self._dataset}._dlt_loads WHERE load_id = ?"  # noqa: S608
        return bool(self._database.execute(query, [load_id]).fetchall())

    def update(self, table: Table, rows: Sequence[Row]) -> int:
        """Set the columns of rows that exist; return how many there were."""
        if not rows:
            return 0
        values = ", ".join(f"{name} = new.{name}" for name in rows[0] if name not in table.key)
        same = " AND ".join(f"old.{name} = new.{name}" for name in table.key)
        name = f"{self._dataset}.{table.name}"
        statement = f"UPDATE {name} AS old SET {values} FROM ({_ROWS}) AS new WHERE {same}"  # noqa: S608
        parts = (rows[at : at + _ROWS_AT_ONCE] for at in range(0, len(rows), _ROWS_AT_ONCE))
        return sum(self._run(statement, table, part) for part in parts)

    def insert(self, table: Table, row: Row) -> None:
        self._run(f"INSERT INTO {self._dataset}.{table.name} BY NAME {_ROWS}", table, [row])

    def _run(self, statement: str, table: Table, rows: Sequence[Row]) -> int:
        types = dict(self._database.execute(_COLUMNS, [self._dataset, table.name]).fetchall())
        # JSON comes as text, and becomes JSON when it is inserted.
        shape = [{name: types.get(name, "").replace("JSON", "VARCHAR") for name in rows[0]}]
        given = [msgspec.json.encode(value).decode() for value in (rows, shape)]
        (changed,) = self._database.execute(statement, given).fetchone() or (0,)
        return int(changed)


def _prepared(path: Path, content: bytes) -> Path:
    """Write a file beside another, to replace it as a whole: a run killed leaves one of them."""
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return fresh
