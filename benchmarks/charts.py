"""Charts of the figures, as SVG files that need nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

import altair as alt

from benchmarks.cases import AGAIN, FIRST, FRESH, SECOND
from benchmarks.inputs import INPUTS
from benchmarks.measuring import Figures

_OURS, _THEIRS = "#0072b2", "#a0a0a0"
_LEAST_MB = 10
_OURS_ARE = (FIRST, SECOND, AGAIN, FRESH)


def draw(found: Mapping[str, Mapping[str, Figures]], folder: Path) -> None:
    """Draw the CPU time of each case, and the memory over time where it was sampled."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, cases in found.items():
        _costs(name, cases).save(folder / f"cost-{name}.svg")
        if any(run.memory for run in cases.values()):
            _memory(name, cases).save(folder / f"memory-{name}.svg")


def _costs(name: str, cases: Mapping[str, Figures]) -> Any:
    rows = [
        {
            "case": case,
            "cpu_s": run.cpu_s,
            "whose": "ours" if case in (FIRST, SECOND, AGAIN, FRESH) else "others",
        }
        for case, run in cases.items()
        if not run.problem and case not in ("--help",)
    ]
    order = [row["case"] for row in sorted(rows, key=itemgetter("cpu_s"))]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("case:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X("cpu_s:Q", title="CPU seconds, user and system"),
    )
    colour = alt.Color("whose:N", legend=None).scale(
        domain=["ours", "others"], range=[_OURS, _THEIRS]
    )
    bars = base.mark_bar().encode(color=colour)
    labels = base.mark_text(align="left", dx=4).encode(text=alt.Text("cpu_s:Q", format=".1f"))
    return (bars + labels).properties(title=INPUTS[name].title, width=420, height={"step": 22})


def _memory(name: str, cases: Mapping[str, Figures]) -> Any:
    rows = [
        {"case": case, "at_s": at, "mb": mb}
        for case, run in cases.items()
        # The tap and its target are started by a shell, whose memory says nothing.
        if not case.startswith(("--help", "floor", "import", "tap"))
        for at, mb in run.memory
        if mb >= _LEAST_MB
    ]
    chart = alt.Chart(alt.Data(values=rows)).mark_line()
    encoded = chart.encode(
        x=alt.X("at_s:Q", title="seconds since the start"),
        y=alt.Y(
            "mb:Q", title="resident memory, MB", scale=alt.Scale(type="log", domainMin=_LEAST_MB)
        ),
        color=alt.Color("case:N", title=None, legend=alt.Legend(labelLimit=260)),
    )
    return encoded.properties(title=INPUTS[name].title, width=520, height=240)


def draw_growth(cpu_s: Mapping[int, float], title: str, folder: Path) -> None:
    """Draw the CPU time of a load over the rows that the table holds already."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"rows": rows, "cpu_s": seconds} for rows, seconds in cpu_s.items()]
    chart = alt.Chart(alt.Data(values=rows)).mark_line(point=True, color=_OURS)
    encoded = chart.encode(
        x=alt.X("rows:Q", title="rows in the table", scale=alt.Scale(type="log")),
        y=alt.Y("cpu_s:Q", title="CPU seconds", scale=alt.Scale(zero=True)),
    )
    encoded.properties(title=title, width=420, height=200).save(folder / "growth.svg")
