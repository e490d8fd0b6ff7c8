"""Runs one command in a fresh process and says what it cost, as the operating system counts it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LAUNCH = str(Path(__file__).with_name("launch.py"))


@dataclass(slots=True)
class Figures:
    """What one run cost.

    Attributes:
        cpu_s, wall_s: user and system time of the process and its children; time from start to end.
        peak_mb: largest resident memory of one process.
        memory: (seconds since the start, MB) over time; empty unless asked for.
        requests, nbytes: what the server was asked for, and sent.
        first_request_s: from the start to the first request; None if there was none.
        problem: why the figures do not count.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float
    memory: list[tuple[float, float]] = field(default_factory=list)
    requests: int = 0
    nbytes: int = 0
    first_request_s: float | None = None
    problem: str | None = None


def measure(
    command: Sequence[str], env: Mapping[str, str], folder: Path, *, with_memory: bool = False
) -> tuple[Figures, float]:
    """Run a command to its end.

    Args:
        command: what to run.
        env: added to this process's environment.
        folder: gets `output.log`, what the command printed.
        with_memory: whether to look at its memory all the time, which only Linux can tell.

    Returns:
        Its figures, with a problem if it failed, and when it began (CLOCK_MONOTONIC).
    """
    log, found = folder / "output.log", folder / "figures.json"
    launched = [sys.executable, "-S", _LAUNCH, str(found), str(int(with_memory)), *command]
    with log.open("ab") as out:
        subprocess.run(launched, env={**os.environ, **env}, stdout=out, stderr=out, check=True)
    told = json.loads(found.read_text("utf-8"))
    figures = Figures(told["cpu_s"], told["wall_s"], told["peak_mb"], told["memory"])
    if told["exit_code"]:
        tail = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
        figures.problem = f"ended with {told['exit_code']}: {''.join(tail)[:300]}"
    return figures, told["began"]


def median_of(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure; a problem of any run is one of all."""
    first = [run.first_request_s for run in runs if run.first_request_s is not None]
    return Figures(
        cpu_s=statistics.median(run.cpu_s for run in runs),
        wall_s=statistics.median(run.wall_s for run in runs),
        peak_mb=statistics.median(run.peak_mb for run in runs),
        memory=runs[-1].memory,
        requests=round(statistics.median(run.requests for run in runs)),
        nbytes=round(statistics.median(run.nbytes for run in runs)),
        first_request_s=statistics.median(first) if first else None,
        problem=next((run.problem for run in runs if run.problem), None),
    )
