"""Compare the files of first loads: python -m benchmarks.size [--inputs varied] [--than COMMIT].

Each input is loaded by this tree and by an older commit of it, in turn, and its rows are written to
Parquet with zstd of level 3. A file whose payloads are not the truth does not count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from benchmarks.bench import ENV, say, served
from benchmarks.cases import CASES, FIRST, Case, Scene, load_command, problem_of
from benchmarks.inputs import FEW, INPUTS, MIXED, SMALL, VARIED
from benchmarks.measuring import Figures, measure, median_of
from benchmarks.report import machine

ROOT = Path(__file__).resolve().parents[1]
#: Before files were made with a storage version: what this is compared with.
BEFORE = "d3fab0d"
DEMO = "demo"
_RUN = "import sys; from pipedream_source.cli.app import start; start()"
_PARQUET = (
    "COPY (SELECT * REPLACE (event::VARCHAR AS event, metadata::VARCHAR AS metadata) "
    "FROM pipedream.{}) TO '{}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)"
)
_TABLES = ("source_event_summaries", "workflow_emits", "workflow_errors")
#: At most this part of the older commit's file, of Parquet's size, and of the older one's CPU time.
_GOALS = {VARIED.name: (1 / 5, 1.8, 0.6), MIXED.name: (1 / 2.5, None, 1.0), DEMO: (6 / 22, None, 1)}


@dataclass(frozen=True, slots=True)
class Size:
    """What a first load left, in bytes, and what it cost.

    Attributes:
        database, parquet: the DuckDB file; the rows of the events' tables as Parquet.
        payload: the payloads' text.
        figures: the cost of the load.
    """

    database: int
    parquet: int
    payload: int
    figures: Figures


def loaded(tree: Path, name: str, base_url: str, folder: Path) -> Size:
    """Load an input with the code of a tree, and measure what is there afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = Scene(INPUTS.get(name, FEW), base_url, folder)
    words = load_command(scene)[3:]
    if name == DEMO:
        words = ["demo", "--json", "--database", scene.database]
    env = {**ENV, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
    figures, _ = measure([sys.executable, "-c", _RUN, *words], env, folder)
    if name != DEMO and figures.problem is None:
        figures.problem = problem_of(_first(), scene, with_fresh=False)
    return _size_of(Path(scene.database), folder, figures)


def _first() -> Case:
    return next(case for case in CASES if case.name == FIRST)


def _size_of(database: Path, folder: Path, figures: Figures) -> Size:
    parquet = payload = 0
    with duckdb.connect(str(database), read_only=True) as connection:
        for table in _TABLES:
            file = folder / f"{table}.parquet"
            connection.execute(_PARQUET.format(table, file))
            parquet += file.stat().st_size
            query = f"SELECT coalesce(sum(strlen(event::VARCHAR)), 0) FROM pipedream.{table}"  # noqa: S608
            payload += int(connection.execute(query).fetchall()[0][0])
    return Size(database.stat().st_size, parquet, payload, figures)


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """Yield the tree of an older commit."""
    tree = folder / commit
    command = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*command, "add", "--quiet", "--detach", str(tree), commit], check=True)
    try:
        yield tree
    finally:
        subprocess.run([*command, "remove", "--force", str(tree)], check=True)


def compared(name: str, trees: dict[str, Path], folder: Path, rounds: int) -> dict[str, Size]:
    """Load one input by each tree, in turn; return the medians of what it cost."""
    sizes: dict[str, Size] = {}
    runs: dict[str, list[Figures]] = {commit: [] for commit in trees}
    with served(FEW.name if name == DEMO else name) as base_url:
        for number in range(rounds):
            for commit, tree in trees.items():
                size = loaded(tree, name, base_url, folder / f"{name}-{commit}-{number}")
                sizes[commit] = size
                runs[commit].append(size.figures)
                say(f"  {name}, {commit}: {size.database / 1e6:.1f} MB")
    return {c: replace(size, figures=median_of(runs[c])) for c, size in sizes.items()}


def table(found: dict[str, dict[str, Size]]) -> str:
    """Return the sizes in Markdown, and whether the goals are reached."""
    lines = ["| input | build | file MB | of the payload | of Parquet | CPU s |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for name, sizes in found.items():
        for commit, size in sizes.items():
            note = f" (does not count: {size.figures.problem})" if size.figures.problem else ""
            lines.append(
                f"| {name} | {commit}{note} | {size.database / 1e6:.1f} "
                f"| {size.database / size.payload:.0%} | {size.database / size.parquet:.2f} "
                f"| {size.figures.cpu_s:.2f} |"
            )
    goals = [line for name, sizes in found.items() for line in _reached(name, sizes)]
    return "\n".join([*lines, *(["", "| goal | reached |", "|---|---|"] if goals else []), *goals])


def _reached(name: str, sizes: dict[str, Size]) -> Iterator[str]:
    ours, before = sizes["this"], sizes.get(BEFORE)
    of_file, of_parquet, of_cpu = _GOALS.get(name, (None, None, None))
    pairs = [("file / Parquet", ours.database / ours.parquet, of_parquet)]
    if before:
        pairs += [("file / before", ours.database / before.database, of_file)]
        pairs += [("CPU / before", ours.figures.cpu_s / before.figures.cpu_s, of_cpu)]
    for text, ratio, bound in pairs:
        if bound is not None:
            yes = "yes" if ratio <= bound else "NO"
            yield f"| {name}: {text} ≤ {bound:.2f} | {ratio:.2f} {yes} |"


def main() -> None:
    """Measure what the command line names and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [VARIED.name, MIXED.name, SMALL.name, DEMO]
    parser.add_argument("--inputs", nargs="+", choices=[*names, FEW.name], default=names)
    parser.add_argument("--than", default=BEFORE, help="an older commit; empty for none")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="size-") as temporary:
        folder = Path(temporary)
        if options.than:
            with checked_out(options.than, folder) as older:
                trees = {options.than: older, "this": ROOT}
                found = {n: compared(n, trees, folder, options.rounds) for n in options.inputs}
        else:
            found = {n: compared(n, {"this": ROOT}, folder, 1) for n in options.inputs}
    sys.stdout.write(table(found) + "\n")
    if options.json:
        told = {
            name: {
                commit: {
                    "database": size.database,
                    "parquet": size.parquet,
                    "payload": size.payload,
                    "cpu_s": size.figures.cpu_s,
                    "problem": size.figures.problem,
                }
                for commit, size in sizes.items()
            }
            for name, sizes in found.items()
        }
        whole = {"machine": machine(), "inputs": told}
        options.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
