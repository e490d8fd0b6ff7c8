"""What is measured after each load, drawn and summed up."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.soak_world import EVERY_S, World

_MB = 1024 * 1024
_WIDTH, _HEIGHT, _EDGE = 360, 170, 36
MEASURED = {
    "memory of the process, MB": "rss",
    "open files": "open_files",
    "working folder, MB": "folder",
    "files in it": "files",
    "database, MB": "database",
    "seconds of a load": "seconds",
}


@dataclass
class Figures:
    """The figures of all loads.

    Attributes:
        rows: of each load that ended, with the simulated hour.
        ends: exit codes.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    ends: Counter[int] = field(default_factory=Counter)

    def take(self, report: dict[str, Any], database: Path, world: World) -> None:
        """Measure after a load."""
        self.ends[report["exit_code"]] += 1
        if report["exit_code"] < 0:
            return
        sizes = [p.stat().st_size for p in Path(f"{database}.dlt").rglob("*") if p.is_file()]
        self.rows.append(
            {
                "hour": sum(self.ends.values()) * EVERY_S / 3600,
                "rss": report["rss"] / _MB,
                "open_files": report["open_files"],
                "folder": sum(sizes) / _MB,
                "files": len(sizes),
                "database": database.stat().st_size / _MB if database.exists() else 0.0,
                "seconds": report["seconds"],
                "emitted": world.emitted,
            }
        )

    @property
    def line(self) -> str:
        """The latest figures in short."""
        if not self.rows:
            return "soaking"
        last = self.rows[-1]
        return f"hour {last['hour']:.1f}, {last['emitted']:.0f} events, {last['rss']:.0f} MB"


def summary(figures: Figures, world: World) -> dict[str, Any]:
    """Return all that was found, for people and machines."""
    told = world.ranges.held + len(world.ranges.missed)
    return {
        "hours": round(max((row["hour"] for row in figures.rows), default=0), 2),
        "loads": sum(figures.ends.values()),
        "exit_codes": {str(code): count for code, count in sorted(figures.ends.items())},
        "killed": world.killed,
        "emitted": world.emitted,
        "lost_before_a_poll": world.lost,
        "gaps": len(world.gaps),
        "range_held": f"{world.ranges.held} of {told}",
        **{name: _spread([row[key] for row in figures.rows]) for name, key in MEASURED.items()},
    }


def _spread(values: list[float]) -> dict[str, float]:
    """Compare the second quarter of the run with its last: what grows, grows there."""
    if len(values) < 8:
        return {}
    quarter = len(values) // 4
    parts = {"second quarter": values[quarter : 2 * quarter], "last quarter": values[-quarter:]}
    medians = {name: round(statistics.median(part), 2) for name, part in parts.items()}
    return {**medians, "most": round(max(values), 2)}


def draw(figures: Figures, path: Path) -> None:
    """Draw each figure over the hours, one small chart each, as an SVG that needs nothing else."""
    charts = [_chart(figures, title, key, at) for at, (title, key) in enumerate(MEASURED.items())]
    width, height = 2 * _WIDTH, -(-len(charts) // 2) * _HEIGHT
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    style = 'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>'
    path.write_text(f"{head}{style}{''.join(charts)}</svg>\n", encoding="utf-8")


def _chart(figures: Figures, title: str, key: str, at: int) -> str:
    """Draw one figure from zero to its highest value."""
    most = max((row[key] for row in figures.rows), default=0) or 1
    hours = max((row["hour"] for row in figures.rows), default=1)
    wide, high = _WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE
    points = " ".join(
        f"{row['hour'] / hours * wide:.1f},{high - row[key] / most * high:.1f}"
        for row in figures.rows
    )
    left, top = at % 2 * _WIDTH + _EDGE, at // 2 * _HEIGHT + _EDGE
    return (
        f'<g transform="translate({left} {top})"><text y="-8" font-weight="bold">{title}</text>'
        f'<path d="M0 0V{high}H{wide}" fill="none" stroke="#999"/>'
        f'<text x="-4" y="8" text-anchor="end">{most:.4g}</text>'
        f'<text x="{wide}" y="{high + 13}" text-anchor="end">{hours:.3g} h</text>'
        f'<polyline points="{points}" fill="none" stroke="#2a6fbb"/></g>'
    )
