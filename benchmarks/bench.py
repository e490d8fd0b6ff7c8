"""Measure loads side by side: python -m benchmarks.bench [--inputs small real] [--rounds 3].

Each case runs in a fresh process against a server in another, all cases in each round, so that
what the machine does meanwhile falls on all of them. Figures of a case that loaded anything but
the truth do not count, and are said not to.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from rich.console import Console

from benchmarks.cases import CASES, SINGER, Case, Scene, problem_of
from benchmarks.inputs import INPUTS, Input
from benchmarks.measuring import Figures, measure, median_of
from benchmarks.report import machine, tables
from benchmarks.rows import write_parquet

ENV = {"PIPEDREAM_API_KEY": "bench", "RUNTIME__DLTHUB_TELEMETRY": "false"}
Runs = dict[str, list[Figures]]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = ["small", "real", "large", "idle", "kilobyte"]
    parser.add_argument("--inputs", nargs="+", choices=[*names, "quick"], default=names)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", default="", help="only cases whose name or group has this text")
    parser.add_argument("--memory", action="store_true", help="sample memory over time (Linux)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--charts", type=Path, help="draw charts into this folder")
    return parser.parse_args()


@contextmanager
def served(name: str, *options: str) -> Iterator[str]:
    """Serve an input in a process of its own and yield the base URL."""
    command = [sys.executable, "-m", "benchmarks.server", name, *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip() if server.stdout else ""
    finally:
        server.kill()
        server.communicate()


def control(base_url: str, name: str) -> dict[str, Any]:
    """Call the server's control plane."""
    url = f"{base_url.removesuffix('/v1')}/_bench/{name}"
    with urlopen(url, timeout=60) as answer:  # noqa: S310 - the server that was just started
        return dict(json.loads(answer.read()))


def run_case(case: Case, scene: Scene, *, is_fresh: bool, with_memory: bool) -> Figures:
    """Run one case and check what it loaded."""
    scene.folder.mkdir(exist_ok=True)
    control(scene.base_url, "reset")
    command = case.command(scene)
    figures, began = measure(command, ENV, scene.folder, with_memory=with_memory)
    told = control(scene.base_url, "figures")
    figures.requests, figures.nbytes = told["requests"], told["bytes"]
    if told["first_at"] is not None:
        figures.first_request_s = told["first_at"] - began
    figures.problem = figures.problem or problem_of(case, scene, with_fresh=is_fresh)
    return figures


def one_round(given: Input, cases: list[Case], folder: Path, memory: bool) -> dict[str, Figures]:
    """Run every case once, each group in a folder of its own, before and after the fresh events."""
    results: dict[str, Figures] = {}
    with served(given.name) as base_url:
        for is_fresh in (False, True):
            if is_fresh:
                control(base_url, "advance")
            for case in (c for c in cases if c.advances == is_fresh):
                scene = Scene(given, base_url, folder / (case.group or "none"))
                results[case.name] = run_case(case, scene, is_fresh=is_fresh, with_memory=memory)
                say(f"  {case.name}: {results[case.name].cpu_s:.2f} s of CPU")
    return results


def measured(given: Input, options: argparse.Namespace) -> dict[str, Figures]:
    """Run all rounds of one input; return the medians by case."""
    cases = [c for c in CASES if given.name in c.inputs and options.cases in f"{c.name} {c.group}"]
    runs: Runs = {}
    for number in range(options.rounds):
        say(f"{given.name}, round {number + 1} of {options.rounds}")
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            if any(case.group in ("ingest", "arrow") for case in cases):
                write_parquet(given, folder / "rows.parquet")
            for name, figures in one_round(given, cases, folder, options.memory).items():
                runs.setdefault(name, []).append(figures)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return {name: median_of(figures) for name, figures in runs.items()}


def say(text: str) -> None:
    """Tell of the progress on standard error."""
    Console(stderr=True).print(text, highlight=False, markup=False)


def main() -> None:
    """Measure what the command line names, print tables, write JSON and charts."""
    options = arguments()
    if not Path(SINGER).exists():
        say("tap-pipedream is not installed, so it is missing below: make bench installs it")
        CASES[:] = [case for case in CASES if case.group != "singer"]
    found = {name: measured(INPUTS[name], options) for name in options.inputs}
    sys.stdout.write(tables(found, options.rounds))
    if options.json:
        told = {n: {case: asdict(f) for case, f in cases.items()} for n, cases in found.items()}
        whole = {"machine": machine(), "rounds": options.rounds, "inputs": told}
        options.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    if options.charts:
        from benchmarks.charts import draw

        draw(found, options.charts)


if __name__ == "__main__":
    main()
