"""The cases that are measured: what each runs, and what it has to have loaded."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.inputs import Input, truth

PEERS = Path(__file__).parent / "peers"
#: tap-pipedream and target-duckdb stand in an environment of their own (`make bench` makes it).
SINGER = ".venv-singer"
_PYTHON = sys.executable
_COMMAND = [_PYTHON, "-m", "pipedream_source.cli.app"]
_OURS = "pipedream.source_event_summaries"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a case runs: the input, the server, and the folder of its group of cases."""

    given: Input
    base_url: str
    folder: Path

    @property
    def database(self) -> str:
        """Return the DuckDB file of a group of cases."""
        return str(self.folder / "bench.duckdb")


@dataclass(frozen=True, slots=True)
class Case:
    """One command to measure.

    Attributes:
        name: as the tables call it.
        group: cases of one group share a folder and follow one another.
        command: what to run.
        rows: SQL for each loaded row's payload as text; None if nothing is loaded.
        advances: whether the fresh events are emitted first.
        is_exact: whether payloads must be there byte for byte.
        inputs: the names of the inputs that it is measured with.
    """

    name: str
    group: str
    command: Callable[[Scene], list[str]]
    rows: str | None = None
    advances: bool = False
    is_exact: bool = False
    inputs: tuple[str, ...] = ("small", "real", "large", "quick")


def _script(name: str, *extra: str) -> Callable[[Scene], list[str]]:
    path = str(PEERS / name)
    return lambda scene: [_PYTHON, path, scene.base_url, scene.database, *extra]


def load_command(scene: Scene) -> list[str]:
    """Return the command of one of our loads."""
    place = ["--base-url", scene.base_url, "--database", scene.database]
    return [*_COMMAND, "load", "--quiet", *place]


def _download(library: str) -> Callable[[Scene], list[str]]:
    module = [_PYTHON, "-m", "benchmarks.peers.download"]
    return lambda scene: [*module, scene.base_url, library, str(scene.given.streams)]


def _ingest(name: str) -> Callable[[Scene], list[str]]:
    script = str(PEERS / name)
    return lambda scene: [
        _PYTHON,
        script,
        str(scene.folder.parent / "rows.parquet"),
        scene.database,
    ]


def _singer(scene: Scene) -> list[str]:
    tap, target = scene.folder / "tap.json", scene.folder / "target.json"
    tap.write_text(json.dumps({"token": "bench"}))
    target.write_text(json.dumps({"path": scene.database, "default_target_schema": "pipedream"}))
    bin_ = Path(SINGER) / "bin"
    line = f"set -o pipefail; {bin_}/python {PEERS}/tap.py {scene.base_url} --config {tap}"
    return ["bash", "-c", f"{line} | {bin_}/target-duckdb --config {target}"]


def _payloads(table: str, key: str, column: str) -> str:
    return f"SELECT any_value({column})::VARCHAR FROM {table} GROUP BY {key}, id"  # noqa: S608


OURS = _payloads(_OURS, "emitter_id", "event")
_ALL = ("small", "real", "large", "quick", "idle", "kilobyte")

#: The second load tries what `limit` means, once for each stream; later ones know.
FIRST, SECOND, AGAIN, FRESH = "first load", "second, nothing new", "nothing new", "1% new"
CASES = [
    Case("import dlt", "", lambda _: [_PYTHON, "-c", "import dlt"], inputs=_ALL),
    Case(
        "--help", "", lambda _: [_PYTHON, "-m", "pipedream_source.cli.app", "--help"], inputs=_ALL
    ),
    Case(FIRST, "ours", load_command, OURS, is_exact=True, inputs=_ALL),
    Case(SECOND, "ours", load_command, OURS, is_exact=True, inputs=_ALL),
    Case(AGAIN, "ours", load_command, OURS, is_exact=True, inputs=_ALL),
    Case(FRESH, "ours", load_command, OURS, advances=True, is_exact=True, inputs=_ALL),
    Case("floor: download, urllib3", "", _download("urllib3"), inputs=_ALL),
    Case("floor: download, requests", "", _download("requests"), inputs=_ALL),
    Case("floor: DuckDB reads Parquet", "ingest", _ingest("ingest.py"), OURS, is_exact=True),
    Case("floor: dlt loads the same rows", "arrow", _ingest("dlt_arrow.py"), OURS, is_exact=True),
    Case("script: requests, pandas", "pandas", _script("pandas_script.py"), OURS),
    Case(
        "dlt rest_api, flat",
        "flat",
        _script("rest_api.py", "flat"),
        _payloads(_OURS, "_sources_id", "event"),
    ),
    Case(
        "dlt rest_api, flat, again",
        "flat",
        _script("rest_api.py", "flat"),
        _payloads(_OURS, "_sources_id", "event"),
        inputs=("small", "quick"),
    ),
    Case(
        "dlt rest_api",
        "nested",
        _script("rest_api.py"),
        _payloads(_OURS, "_sources_id", "''"),
        inputs=("small", "quick"),
    ),
    Case(
        "tap-pipedream, target-duckdb",
        "singer",
        _singer,
        _payloads("pipedream.user_source_events", "source_id", "e"),
    ),
]


def problem_of(case: Case, scene: Scene, *, with_fresh: bool) -> str | None:
    """Compare what a case loaded with the truth; return what is wrong with it."""
    if case.rows is None:
        return None
    with duckdb.connect(scene.database, read_only=True) as connection:
        relation = connection.execute(case.rows)
        rows = nbytes = digest = 0
        while found := relation.fetchmany(1_000):
            for (text,) in found:
                rows += 1
                encoded = (text or "").encode()
                nbytes += len(encoded)
                md5 = hashlib.md5(encoded, usedforsecurity=False)
                digest ^= int.from_bytes(md5.digest()[:7], "big")
    loaded = {"rows": rows, "bytes": nbytes, "digest": digest}
    wanted = truth(scene.given, with_fresh=with_fresh)
    compared = wanted if case.is_exact else {"rows": wanted["rows"]}
    wrong = [f"{loaded[k]} {k} instead of {v}" for k, v in compared.items() if loaded[k] != v]
    return ", ".join(wrong) or None
