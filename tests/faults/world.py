"""Runs the real command before, while and after something goes wrong, and keeps what it left."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from tests.faults.fault import Fault, Key, Victim
from tests.integration.contract import KEY, Contract

DATABASE = "events.duckdb"
#: What is known of the streams when they break: nothing, something, or enough to ask for less.
Begin = Literal["first", "later", "quiet"]
TABLES = {
    "events": "SELECT emitter_id, channel, id, event::VARCHAR, event_state "
    "FROM source_event_summaries",
    "quarantine": "SELECT emitter_id, reason, raw, row_hash FROM quarantine ORDER BY reason",
    "gaps": "SELECT emitter_id, verdict, lost_min, lost_max FROM event_gaps ORDER BY detected_at",
    "status": "SELECT emitter_id, verdict, last_id, failures, last_error FROM stream_status "
    "WHERE channel = ''",
}


@dataclass
class Load:
    """One run of `load --json`, what it said, and the tables as it left them."""

    code: int
    out: str
    err: str
    tables: dict[str, list[tuple]] = field(default_factory=dict)

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def of(self, table: str, emitter: str) -> list[tuple]:
        """Return an emitter's rows of a table, without the emitter."""
        return [row[1:] for row in self.tables[table] if row[0] == emitter]

    def events(self, emitter: str) -> dict[Key, bytes | None]:
        """Return an emitter's payloads, after checking that each key stands there once."""
        rows = self.of("events", emitter)
        found = {row[:2]: None if row[2] is None else row[2].encode() for row in rows}
        assert len(found) == len(rows), f"{emitter}: duplicates"
        return found


class Site:
    """A server and a folder, and the command that loads from one into the other."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder, self.flags = folder, flags
        self.contract = Contract()

    def close(self) -> None:
        self.contract.__exit__()

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    def load(self, *flags: str, **environment: str) -> Load:
        """Run the command in this process, where retries do not wait long."""
        given = {"PIPEDREAM_API_KEY": KEY, "PIPEDREAM_BASE_URL": self.contract.url}
        line = ["load", "--json", "--database", str(self.database), *self.flags, *flags]
        logger = logging.getLogger("pipedream_source")
        kept, level = (logger.handlers, logger.propagate), os.environ["RUNTIME__LOG_LEVEL"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)
            done = CliRunner(env=given | {"COLUMNS": "400"} | environment).invoke(app, line)
        logger.handlers, logger.propagate = kept
        os.environ["RUNTIME__LOG_LEVEL"] = level
        assert KEY not in done.output
        return Load(done.exit_code, done.stdout, done.stderr, self.tables())

    def tables(self) -> dict[str, list[tuple]]:
        if not self.database.exists():
            return {name: [] for name in TABLES}
        with duckdb.connect(str(self.database), read_only=True) as connection:
            connection.execute("SET search_path = 'pipedream'")
            return {name: connection.execute(sql).fetchall() for name, sql in TABLES.items()}


class World(Site):
    """Streams that each have a fault of their own, a healthy neighbour behind each, three loads.

    Attributes:
        begin: what is known of the streams when they break.
        before, broken, healed: the loads; without one before, the fault meets a first load.
        victims, neighbours: by the fault's name.
        had, due: what each emitter had emitted before the fault, and by the load with it.
        asked: requests of each victim while it was broken.
    """

    def __init__(
        self, folder: Path, faults: Iterable[Fault], begin: Begin, *, flags: Iterable[str] = ()
    ) -> None:
        super().__init__(folder, "--only", "events", *flags)
        self.faults = tuple(faults)
        self.victims = {f.name: Victim(self.contract, f.name) for f in self.faults}
        self.neighbours = {f.name: Victim(self.contract, f"{f.name}Beside") for f in self.faults}
        self.everyone = [*self.victims.values(), *self.neighbours.values()]
        self.begin = begin
        self.before = None if begin == "first" else self._load_history(is_quiet=begin == "quiet")
        self.had = self._expected()
        self._break()
        self.due = self._expected()
        self.broken = self.load()
        self.asked = {v.stream.emitter: len(v.times) for v in self.victims.values()}
        for victim in self.victims.values():
            victim.heal()
        self.healed = self._emit_and_load(2)

    def _expected(self) -> dict[str, dict[Key, bytes | None]]:
        return {victim.stream.emitter: dict(victim.expected) for victim in self.everyone}

    def _load_history(self, *, is_quiet: bool) -> Load:
        for victim in self.everyone:
            victim.emit_history(is_quiet=is_quiet)
        return self.load()

    def _emit_and_load(self, count: int) -> Load:
        for victim in self.everyone:
            victim.emit_many(count)
        return self.load()

    def _break(self) -> None:
        for victim in self.everyone:
            victim.emit_many(3)
            victim.times.clear()
        for fault in self.faults:
            fault.inject(self.victims[fault.name])
