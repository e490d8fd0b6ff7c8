"""Places where a process may be killed, by name; only the environment switches one on.

`CRASH_AT` names when and where, such as `after commit`, `before copy:load_runs` (the copy of that
table), `after poll#3` (the third) or `change 17` (before the seventeenth change of a file). The
product knows nothing of it: the methods named here are wrapped in a process that is to die.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.storages import LoadStorage, SchemaStorage
from dlt.common.storages.load_package import PackageStorage
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.destinations.impl.filesystem.filesystem import (
    DeltaLoadFilesystemJob,
    FilesystemClient,
    FilesystemLoadJob,
)
from dlt.destinations.insert_job_client import InsertValuesLoadJob
from dlt.destinations.job_client_impl import SqlJobClientBase, SqlLoadJob
from dlt.extract.extract import Extract
from dlt.extract.storage import ExtractStorage

from pipedream_source.resources.polls import polling
from pipedream_source.running.destination import lock, target
from pipedream_source.running.duckdb import copy, dlt_destination, swap
from pipedream_source.running.load import dlt_load, quiet_run
from pipedream_source.running.maintenance import compact
from pipedream_source.running.packages import drain, first_load
from pipedream_source.running.state import restore

PLACES: dict[str, tuple[Any, str]] = {
    "lock": (lock, "_acquire"),
    "poll": (polling, "_poll"),
    "look-write": (quiet_run._Scribe, "insert"),
    "look-commit": (duckdb, "commit"),
    "look-prepared": (quiet_run, "_prepared"),
    "replace": (Path, "replace"),
    "left-as": (target.Target, "remember"),
    "touch": (Path, "touch"),
    "drain": (dlt_load, "drain"),
    "extract": (dlt.Pipeline, "extract"),
    "write": (ExtractStorage, "close_writers"),
    "commit": (Extract, "commit_packages"),
    "commit-package": (ExtractStorage, "commit_new_load_package"),
    "save-schema": (SchemaStorage, "save_schema"),
    "save-state": (dlt.Pipeline, "_save_state"),
    "normalize": (dlt.Pipeline, "normalize"),
    "normalized": (LoadStorage, "commit_new_load_package"),
    "forget-extracted": (PackageStorage, "delete_package"),
    "note-first-load": (drain, "note_first_load"),
    "begin-anew": (drain, "_begin_anew"),
    "load": (dlt.Pipeline, "load"),
    "make-file": (dlt_destination, "create_database"),
    "create": (DuckDbClient, "initialize_storage"),
    "schema": (DuckDbClient, "update_stored_schema"),
    "start-job": (PackageStorage, "start_job"),
    "copy": (DuckDbCopyJob, "run"),
    "file": (FilesystemLoadJob, "run"),
    "delta": (DeltaLoadFilesystemJob, "run"),
    "record-files": (FilesystemClient, "complete_load"),
    "insert": (InsertValuesLoadJob, "run"),
    "merge": (SqlLoadJob, "run"),
    "note": (PackageStorage, "save_pending_transition"),
    "complete-job": (PackageStorage, "complete_job"),
    "record-load": (SqlJobClientBase, "complete_load"),
    "complete": (PackageStorage, "complete_loading_package"),
    "archive": (LoadStorage, "complete_load_package"),
    "remove-jobs": (LoadStorage, "maybe_remove_completed_jobs"),
    "settle": (drain, "settle_first_load"),
    "drop-doubled": (first_load, "_drop_doubled"),
    "close": (dlt_load, "close_load"),
    "forget-states": (restore, "forget_old_states"),
    "prune": (dlt_load, "_prune"),
    "make-copy": (compact, "create_database"),
    "fill": (copy.DatabaseCopy, "fill"),
    "verify": (copy.DatabaseCopy, "verify"),
    "swap": (compact, "swap_in"),
    "rights": (swap, "_take_rights"),
    "sync": (swap, "sync_folder"),
}

# What Python announces before it changes files.
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

#: Told of a passage (when, and what it concerns); may end the process.
Watch = Callable[[str, str], None]


def arm(environment: Mapping[str, str]) -> None:
    """Make this process kill itself, or note what it passes, as the environment says."""
    at, trace = environment.get("CRASH_AT", ""), environment.get("CRASH_TRACE", "")
    if trace:
        _note_all(os.open(trace, os.O_WRONLY | os.O_CREAT, 0o600))
    elif at.startswith("change "):
        watch = _killer("before", "", int(at.removeprefix("change ")))
        _watch_files(lambda: watch("before", ""))
    elif at:
        when, _, place = at.partition(" ")
        place, _, nth = place.partition("#")
        name, _, detail = place.partition(":")
        _wrap(name, _killer(when, detail, int(nth or 1)))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _killer(when: str, detail: str, nth: int) -> Watch:
    passages = count(1)

    def watch(now: str, what: str) -> None:
        meant = any(word.startswith(detail) for word in what.split()) or not detail
        if now == when and meant and next(passages) == nth:
            die()

    return watch


def _note_all(file: int) -> None:
    """Write down every passage and every change of a file as what `CRASH_AT` would say."""

    def noting(name: str) -> Watch:
        passages = {when: count(1) for when in ("before", "after")}
        return lambda when, _: _line(file, f"{when} {name}#{next(passages[when])}")

    for name in PLACES:
        _wrap(name, noting(name))
    changes = count(1)
    _watch_files(lambda: _line(file, f"change {next(changes)}"))


def _line(file: int, text: str) -> None:
    os.write(file, f"{text}\n".encode())


def _watch_files(tell: Callable[[], None]) -> None:
    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            is_change = bool(flags & _WRITING) and ".dlt" in str(path)
        else:
            is_change = event in _CHANGES
        if is_change:
            tell()

    sys.addaudithook(hear)


def _wrap(name: str, watch: Watch) -> None:
    owner, method = PLACES[name]
    if owner is duckdb:
        connect = duckdb.connect
        vars(duckdb)["connect"] = lambda *a, **k: _Watched(connect(*a, **k), watch)
        return
    original = getattr(owner, method)

    def passing(*args: Any, **kwargs: Any) -> Any:
        what = " ".join(_words(args))
        watch("before", what)
        result = original(*args, **kwargs)
        watch("after", what)
        return result

    setattr(owner, method, passing)


def _words(args: tuple[Any, ...]) -> Iterator[str]:
    """Yield the tables and files that a passage concerns."""
    for arg in (getattr(args[0], "_file_path", None), *args) if args else ():
        word = arg if isinstance(arg, str | Path) else getattr(arg, "name", None)
        if isinstance(word, str | Path):
            yield Path(word).name


class _Watched:
    """A connection to DuckDB, whose own class cannot be changed."""

    def __init__(self, connection: Any, watch: Watch) -> None:
        self._connection, self._watch = connection, watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> "_Watched":
        return self

    def __exit__(self, *error: Any) -> None:
        self._connection.__exit__(*error)

    def commit(self) -> None:
        self._watch("before", "")
        self._connection.commit()
        self._watch("after", "")
