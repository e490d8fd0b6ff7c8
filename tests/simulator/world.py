"""A sandbox, the model of it, and a database loaded from it: every step changes all three."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from contextlib import nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import duckdb

from pipedream_source.sandbox import Sandbox
from tests.simulator.model import KEPT, Place, Sighting, Stream
from tests.simulator.promise import (
    Gap,
    Key,
    Ranges,
    check_certificate,
    check_complete,
    check_new_gaps,
    check_rows,
    read_tables,
)

ROOT = Path(__file__).resolve().parents[2]
OK, CONFIGURATION, FAILED, SOME_FAILED, KEPT_BACK, KILLED = 0, 2, 1, 3, 5, -9
GONE = 404
ERRORS, CUSTOM = "$errors", "custom"
#: A page that contradicts itself, and so shows nothing.
LIE = '{"page_info":{"total_count":3,"count":0},"data":[]}'
#: Between two loads, so that this machine's clock does not stand still.
STEP_S = 30


class Loader:
    """A process that runs loads, each in a child of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.simulator.loader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out an order and return the load's report, or its exit code alone."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()


class World:
    """All of it.

    Attributes:
        model: the streams by emitter and channel, those of emitters that are gone included.
        living: emitters that the API has.
        skew_s: how far this machine's clock is ahead of the API's.
        ranges: how good the estimates were.
        ends: exit codes so far.
        errors: what ended loads that did not end well.
        switches: the values that were set.
        names_custom: whether loads ask for the custom channel by its name.
    """

    def __init__(self, sandbox: Sandbox, loader: Loader, folder: Path) -> None:
        self._sandbox, self._loader = sandbox, loader
        self.database = folder / "events.duckdb"
        self.model: dict[Key, Stream] = {}
        self.living: list[str] = []
        self.skew_s = 0
        self.ranges = Ranges()
        self.ends: list[int] = []
        self.errors: list[str] = []
        self.switches: dict[str, str] = {}
        self.names_custom = False
        self._gaps: list[Gap] = []
        self._payloads = 0
        self._lies: list[str] = []
        self._recreated: set[str] = set()
        self._is_shared = False
        self._folders: tuple[Path | None, Path | None] = (None, folder / "elsewhere")
        _empty(sandbox)

    @property
    def streams(self) -> list[Stream]:
        """The streams that can emit."""
        return [stream for key, stream in self.model.items() if key[0] in self.living]

    def stream(self, emitter: str, channel: str = "") -> Stream:
        return self.model[emitter, channel]

    def add_emitter(self, kind: str, retention: str, emitter_id: str | None = None) -> None:
        order = {"type": kind, "retention": retention, "id": emitter_id}
        (made,) = self._sandbox.add_emitters(1, **order)
        self.living.append(made)
        self._recreated |= {made} & {emitter_id}
        channels = ("", CUSTOM, ERRORS) if kind == "workflow" else ("", CUSTOM)
        for channel in channels:
            stream = self.model.setdefault((made, channel), Stream(made, channel))
            stream.by_arrival = retention == "by_arrival"

    def is_gone(self, emitter: str) -> bool:
        """Tell whether the API shows a deleted emitter no more."""
        return all(shown["id"] != emitter for shown in self._sandbox.state()["emitters"])

    def remove_source(self, emitter: str) -> None:
        """Delete a source; its events go with it."""
        self._call("DELETE", f"/sources/{emitter}")
        self.living.remove(emitter)
        for channel in ("", CUSTOM):
            self.model[emitter, channel].delete()

    def emit(self, stream: Stream, count: int, spread_s: float, odd: str) -> None:
        payload = self._payload(odd)
        # As long as it takes: an event is not older than a poll before it, unless it is late.
        self.advance(spread_s)
        ids = self._sandbox.emit(
            stream.emitter, stream.channel, count=count, spread_s=spread_s, event_text=payload
        )
        for event_id in ids:
            stream.emit(event_id, payload)

    def emit_late(self, stream: Stream, late_ms: int) -> None:
        """Let an event become visible only now that has an id of some time ago."""
        ms = self.now_ms() - late_ms
        seq = next(n for n in range(10_000) if f"{ms}-{n}" not in stream.events)
        payload = self._payload("0")
        (event_id,) = self._sandbox.emit(
            stream.emitter, stream.channel, id=f"{ms}-{seq}", event_text=payload
        )
        stream.emit(event_id, payload, is_late=True)

    def _payload(self, odd: str) -> str:
        self._payloads += 1
        return f'{{"n":{self._payloads}, "odd": {odd}}}'

    def delete(self, stream: Stream, start: Place | None, end: Place | None) -> None:
        ends = {"start_id": start, "end_id": end}
        texts = {name: f"{at.ms}-{at.seq}" for name, at in ends.items() if at}
        self._sandbox.delete(stream.emitter, stream.channel, **texts)
        stream.delete(start, end)

    def advance(self, seconds: float) -> None:
        self._sandbox.advance(seconds)

    def fault(self, **fault: Any) -> None:
        self._sandbox.fault(method="GET", **fault)
        if fault.get("body") == LIE:
            self._lies.append(fault["path"])

    def emit_on(self, stream: Stream, count: int, odd: str) -> None:
        """Let events come with the ids of a clock that stands still: their numbers go on."""
        if stream.newest is None:
            return
        last = max(event.place for event in stream.events.values())
        payload = self._payload(odd)
        ids = self._sandbox.emit(
            stream.emitter,
            stream.channel,
            count=count,
            id=f"{last.ms}-{last.seq + 1}",
            event_text=payload,
        )
        now_ms = self.now_ms()
        for event_id in ids:
            stream.emit(event_id, payload, dated_ms=now_ms)

    def switch(self, **switches: str) -> None:
        self.switches |= switches
        self._sandbox.switch(**switches)

    def forget_folder(self) -> None:
        """Delete the working folder: what waits there for the database is gone."""
        beside = self.database.with_name(self.database.name + ".dlt")
        shutil.rmtree(self._folders[0] or beside, ignore_errors=True)
        for stream in self.model.values():
            stream.forget_waiting()

    def change_machine(self) -> None:
        """Let the other of two machines that share the database load from now on."""
        self._folders = (self._folders[1], self._folders[0])
        self._is_shared = True
        for stream in self.model.values():
            stream.change_machine()

    def now_ms(self) -> int:
        now: int = self._sandbox.control("POST", "clock", {})["now_ms"]
        return now

    def load(self, *, die_at: int = 0, is_locked: bool = False) -> int:
        """Run a load, and check the promise if its rows are in the database."""
        self.advance(STEP_S)
        self._sandbox.control("DELETE", "journal")
        since = {key: stream.last for key, stream in self.model.items()}
        seen = {key: stream.look() for key, stream in self.model.items()}
        with self._locked() if is_locked else nullcontext():
            report = self._loader.run(self._order(die_at))
        code: int = report["exit_code"]
        self.ends.append(code)
        self.errors += [report["error"]] if report.get("error") else []
        assert code in (OK, FAILED, CONFIGURATION, SOME_FAILED, KEPT_BACK, KILLED), report
        lied_to = self._lied_to()
        self._note(seen, report, lied_to)
        self._sandbox.clear_faults()
        self._lies = []
        if code in (OK, SOME_FAILED):
            self.check(since)
        return code

    def _lied_to(self) -> set[Key]:
        """Return the streams that may have been shown a page that contradicts itself."""
        paths = [call["path"] for call in self._sandbox.journal()]
        lied_to = {_stream_of(p) for p in paths if any(fnmatchcase(p, lie) for lie in self._lies)}
        lied_to |= {(emitter, "") for emitter in self.living if self.is_cut_off(emitter)}
        return lied_to | {(emitter, CUSTOM) for emitter, channel in lied_to if not channel}

    def is_cut_off(self, emitter: str) -> bool:
        """Tell whether no call can read an emitter's answer to its end: it has but one page."""
        if (self.switches.get("default_read"), self.switches.get("after")) != (
            "custom_too",
            "ignored",
        ):
            return False
        return sum(len(self.model[emitter, channel].kept) for channel in ("", CUSTOM)) > KEPT

    def _order(self, die_at: int) -> dict[str, Any]:
        return {
            "url": self._sandbox.url,
            "key": self._sandbox.api_key,
            "database": str(self.database),
            "pipelines_dir": str(self._folders[0] or ""),
            "now_ms": self.now_ms() + self.skew_s * 1000,
            "die_at": die_at,
            "workflow_ids": [emitter for emitter in self.living if emitter.startswith("p_")],
            "channels": ["", CUSTOM, ERRORS] if self.names_custom else None,
        }

    def _locked(self) -> Any:
        exists = self.database.exists() and self.database.stat().st_size
        return duckdb.connect(str(self.database)) if exists else nullcontext()

    def _note(
        self, seen: dict[Key, Sighting], report: dict[str, Any], lied_to: Collection[Key]
    ) -> None:
        """Note in the model what the load promises to have seen."""
        code = report["exit_code"]
        polled, gone = set(), set()
        if code in (OK, SOME_FAILED, KEPT_BACK):
            polled = self._polled(report, seen)
            gone = {key for key, status in self._answers().items() if status == GONE}
        if code == OK:
            wanted = {(s.emitter, s.channel) for s in self.streams if s.channel != CUSTOM} - gone
            # One that had ended is asked rarely, and is told of as ended until it answers.
            unpolled = {key for key in wanted - polled if key[0] not in self._recreated}
            assert not unpolled, f"exit code 0, and not polled: {unpolled}"
        for key, stream in self.model.items():
            stream.was_contradicted |= key in lied_to
            if key in polled and key not in lied_to:
                stream.polled(seen[key], is_loaded=code != KEPT_BACK)
            else:
                if key not in gone:
                    stream.doubt(seen[key])
                if code in (OK, SOME_FAILED):
                    stream.settle()

    def _polled(self, report: dict[str, Any], seen: dict[Key, Sighting]) -> set[Key]:
        """Return the streams whose poll ended: asked for, and not said to have failed."""
        if report["streams"]["skipped"]:
            return set()
        answered = {key for key, status in self._answers().items() if status != GONE}
        ended = {key for key in answered if f"{key[0]} {key[1]}".rstrip() not in report["failures"]}
        shown = {key for key in ended if self._obeys(key)}
        if self.switches.get("default_read") == "custom_too":
            # What a call for one channel shows of others counts where they show something.
            by = ended
            if not self.names_custom:
                by = {(emitter, CUSTOM) for emitter, channel in ended if not channel}
            shown |= {key for key in by if key[1] == CUSTOM and key in seen and seen[key].ids}
        return shown & self.model.keys()

    def _answers(self) -> dict[Key, int]:
        """Return the status of the last answer for each stream; what is gone shows nothing."""
        calls = self._sandbox.journal()
        return {_stream_of(call["path"], call["query"]): call["status"] for call in calls}

    def _obeys(self, key: Key) -> bool:
        """Tell whether the API shows a channel when it is asked for by its name."""
        is_ignored = self.switches.get("event_name") == "ignored"
        return key[1] != CUSTOM or key[0].startswith("p_") or not is_ignored

    def check(self, since: dict[Key, Sighting | None]) -> None:
        """Check the promise, and the model against the sandbox."""
        self._check_model()
        tables = read_tables(self.database)
        check_rows(self.model, tables)
        check_complete(self.model, tables)
        check_certificate(self.model, tables, self.database)
        if not self._is_shared:
            # What one machine takes for lost the other may have loaded, or load later.
            check_new_gaps(self.model, tables, self._gaps, since, self.ranges)
        self._gaps = tables.gaps

    def _check_model(self) -> None:
        """The model keeps what the sandbox keeps; else the rest would prove nothing."""
        emitters = {e["id"]: e["channels"] for e in self._sandbox.state()["emitters"]}
        for stream in self.streams:
            shown = emitters[stream.emitter].get(stream.channel, {"retained": 0})
            assert shown["retained"] == len(stream.kept), (stream.emitter, stream.channel)
            if stream.kept:
                ends = (stream.kept[0].id, stream.kept[-1].id)
                assert ends == (shown["oldest_id"], shown["newest_id"])

    def _call(self, method: str, path: str) -> None:
        _call(self._sandbox, method, path)


def _stream_of(path: str, query: str = "") -> Key:
    """Return the stream that a window's path names, and for a source its query."""
    match path.split("/")[2:]:
        case [_, emitter, "event_summaries"]:
            named = dict(parse_qsl(query))
            return emitter, named.get("event_name", "")
        case [_, emitter, channel, "event_summaries"]:
            return emitter, channel.replace("%24", "$")
    return "", ""


def _call(sandbox: Sandbox, method: str, path: str) -> None:
    connection = http.client.HTTPConnection(sandbox.host, sandbox.port, timeout=30)
    try:
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        connection.request(method, f"/v1{path}", headers=headers)
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    assert response.status in (200, 204), (method, path, response.status)


def _empty(sandbox: Sandbox) -> None:
    """Delete the seeded sources, and stop the workflows, which cannot be deleted."""
    for emitter in sandbox.state()["emitters"]:
        if emitter["type"] == "source":
            _call(sandbox, "DELETE", f"/sources/{emitter['id']}")
        for channel in emitter["paces"] if emitter["type"] == "workflow" else ():
            sandbox.emit(emitter["id"], channel, count=0, per_hour=0)
