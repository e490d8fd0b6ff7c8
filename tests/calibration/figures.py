"""What a set of trials comes to, as figures and as a table for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.calibration.arrivals import KINDS
from tests.calibration.lives import Trial, trials

SEED = 7
COUNT = 1_000
HEAD = (
    "| arrivals | gaps | lost, median | in the range | likely within 1.5 | within 2 | "
    "most / truth | most / likely |\n|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """How well the estimate did.

    Attributes:
        covered: share of gaps whose true loss lay in the range.
        near, fair: share whose likely loss was the true one within a factor of 1.5, and of 2.
        lost: the median of the true losses.
        most_to_truth, most_to_likely: medians; what was none counts as one.
    """

    gaps: int
    covered: float
    near: float
    fair: float
    lost: float
    most_to_truth: float
    most_to_likely: float


def figures_of(found: Sequence[Trial]) -> Figures:
    """Measure a set of trials."""
    return Figures(
        gaps=len(found),
        covered=sum(trial.is_covered for trial in found) / len(found),
        near=sum(trial.is_within(1.5) for trial in found) / len(found),
        fair=sum(trial.is_within(2) for trial in found) / len(found),
        lost=median(trial.truth for trial in found),
        most_to_truth=median((t.loss.most or 0) / max(t.truth, 1) for t in found),
        most_to_likely=median((t.loss.most or 0) / max(t.loss.likely or 0, 1) for t in found),
    )


def parts_of(kind: str, found: Sequence[Trial]) -> dict[str, list[Trial]]:
    """Name the kind and its parts: what caused the gap, how little was known before it."""
    return {
        kind: [*found],
        f"{kind}, in an outage": [t for t in found if t.outage],
        f"{kind}, between regular polls": [t for t in found if not t.outage],
        f"{kind}, after a single poll": [t for t in found if t.polls_before == 1],
    }


def rows(kind: str, found: Sequence[Trial]) -> list[str]:
    """Return a kind's rows of the table: the kind, and its parts."""
    parts = parts_of(kind, found).items()
    told = {name: part for name, part in parts if name == kind or 0 < len(part) < len(found)}
    return [_row(name, figures_of(part)) for name, part in told.items()]


def _row(name: str, figures: Figures) -> str:
    return (
        f"| {name} | {figures.gaps} | {figures.lost:.0f} | {figures.covered:.1%} | "
        f"{figures.near:.1%} | {figures.fair:.1%} | {figures.most_to_truth:.1f} | "
        f"{figures.most_to_likely:.1f} |"
    )


def table(count: int = COUNT, seed: int = SEED) -> list[str]:
    """Return the table, line by line."""
    lines = [row for kind in KINDS for row in rows(kind, trials(kind, count, seed))]
    return [*HEAD.splitlines(), *lines]
