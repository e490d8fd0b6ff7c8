"""The figures as tables, ratios first, and held against the goals."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version

from benchmarks.cases import AGAIN, FIRST
from benchmarks.inputs import INPUTS
from benchmarks.measuring import Figures

Cases = Mapping[str, Figures]
_URLLIB3, _REQUESTS, _PARQUET = (
    "floor: download, urllib3",
    "floor: download, requests",
    "floor: DuckDB reads Parquet",
)


def machine() -> dict[str, str]:
    """Describe what ran: versions and processors; no names of machines."""
    packages = {name: version(name) for name in ("dlt", "duckdb", "pyarrow", "msgspec")}
    cores = f"{os.cpu_count()} cores, {platform.machine()}"
    return {"python": platform.python_version(), "machine": cores, **packages}


def tables(found: Mapping[str, Cases], rounds: int) -> str:
    """Return all inputs' tables and the goals, in Markdown."""
    about = ", ".join(f"{name} {value}" for name, value in machine().items())
    parts = [f"Medians of {rounds} interleaved rounds; {about}.\n"]
    for name, cases in found.items():
        parts += [f"\n**{INPUTS[name].title}**\n", table(cases)]
        if goals := goals_of(name, cases):
            parts += ["\n| goal | reached |\n|---|---|", *goals]
    return "\n".join(parts) + "\n"


def table(cases: Cases) -> str:
    """Return a table of one input; the ratio is to our first load's CPU time."""
    base = cases[FIRST].cpu_s if FIRST in cases else 0.0
    lines = ["| case | ratio | CPU s | wall s | peak MB | requests | MB read |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|"]
    for name, run in cases.items():
        ratio = f"{run.cpu_s / base:.2f}" if base else ""
        note = f" (does not count: {run.problem})" if run.problem else ""
        lines.append(
            f"| {name}{note} | {ratio} | {run.cpu_s:.2f} | {run.wall_s:.2f} | {run.peak_mb:.0f} "
            f"| {run.requests:,} | {run.nbytes / 1e6:,.1f} |"
        )
    return "\n".join(lines)


def goals_of(name: str, cases: Cases) -> list[str]:
    """Return rows of a table: each goal, the bound and the ratio reached."""
    cpu = {case: run.cpu_s for case, run in cases.items() if not run.problem}
    least = {"small": (6, 14), "quick": (6, 14), "real": (4, 14)}.get(name)
    rows: list[tuple[str, str, float, str]] = []
    if least is None or not {FIRST, AGAIN} <= cpu.keys():
        return []
    rows += [("first load / dlt rest_api, flat", FIRST, 1 / least[0], "dlt rest_api, flat")]
    if name != "real":
        rows += [("first load / dlt rest_api", FIRST, 1 / 14, "dlt rest_api")]
        tap = "tap-pipedream, target-duckdb"
        rows += [("first load / tap and target", FIRST, 1 / 14, tap)]
    rows += [("first load / pandas script", FIRST, 1.0, "script: requests, pandas")]
    found = [
        _goal(text, cpu[case], bound, cpu[peer]) for text, case, bound, peer in rows if peer in cpu
    ]
    if {_URLLIB3, _REQUESTS, _PARQUET, "import dlt"} <= cpu.keys():
        floor = cpu[_URLLIB3] + cpu[_PARQUET] + cpu["import dlt"]
        found.append(_goal("first load / (floor + import dlt)", cpu[FIRST], 2.0, floor))
        least_work = cpu[_REQUESTS] + cpu["import dlt"]
        found.append(_goal("nothing new / (requests + import dlt)", cpu[AGAIN], 1.5, least_work))
        found.append(_goal("--help / import dlt", cpu["--help"], 0.4, cpu["import dlt"]))
    first_s = cases[AGAIN].first_request_s
    if first_s and "import dlt" in cases:
        wall_s = cases["import dlt"].wall_s
        found.append(_goal("wall time to the first request / import dlt", first_s, 1.5, wall_s))
    return found


def _goal(text: str, ours: float, bound: float, theirs: float) -> str:
    ratio = ours / theirs
    at_most = f"1/{1 / bound:.0f}" if bound < 0.3 else f"{bound:g}"
    reached = f"1/{1 / ratio:.1f}" if bound < 0.3 else f"{ratio:.2f}"
    return f"| {text} ≤ {at_most} | {reached} {'yes' if ratio <= bound else 'NO'} |"
