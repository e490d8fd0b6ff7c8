"""The estimate against the truth: how often the range holds it, how near the likely loss comes."""

from pathlib import Path

import pytest

from tests.calibration.arrivals import BURSTS, KINDS
from tests.calibration.figures import COUNT, SEED, figures_of, rows
from tests.calibration.lives import Trial, trials

SLICE = 150
DOCS = Path(__file__).parents[2] / "docs/estimate.md"


def check(
    kind: str, found: list[Trial], *, seed: int, covered: float, near: float, width: float
) -> None:
    figures = figures_of(found)
    told = f"{kind}, seed {seed}: {figures}"
    assert figures.covered >= covered, told
    # How large a burst was that was cut off is written nowhere.
    assert (figures.fair if kind == BURSTS else figures.near) >= near, told
    # A range that holds everything says nothing.
    assert figures.most_to_truth <= width, told


WIDTHS = {"steady": 2, "bursty": 8, "diurnal": 4, "heavy-tailed": 3, BURSTS: 20}


@pytest.mark.parametrize("kind", KINDS)
def test_a_slice_of_the_gaps(kind: str) -> None:
    found = trials(kind, SLICE, SEED)
    check(kind, found, seed=SEED, covered=0.93, near=0.45, width=1.25 * WIDTHS[kind])
    if kind == BURSTS:
        assert {trial.outage for trial in found} == {False}
        assert max(trial.truth for trial in found) == pytest.approx(500, abs=25)
        return
    assert {trial.outage for trial in found} == {True, False}
    assert min(trial.polls_before for trial in found) == 1
    # The window fills again and again in the longest outages; in the shortest it hardly does.
    assert min(trial.truth for trial in found) < 10
    assert max(trial.truth for trial in found) > 2_000


@pytest.mark.chaos
@pytest.mark.parametrize("kind", KINDS)
def test_all_the_gaps_of_the_documentation(kind: str) -> None:
    found = trials(kind, COUNT, SEED)
    check(kind, found, seed=SEED, covered=0.95, near=0.5, width=WIDTHS[kind])
    told = DOCS.read_text("utf-8")
    assert [row for row in rows(kind, found) if row not in told] == []


@pytest.mark.chaos
@pytest.mark.parametrize("kind", KINDS)
def test_all_the_gaps_of_another_seed(kind: str) -> None:
    found = trials(kind, COUNT, SEED + 1)
    check(kind, found, seed=SEED + 1, covered=0.95, near=0.5, width=WIDTHS[kind])


def test_the_same_seed_gives_the_same_gaps() -> None:
    assert trials("bursty", 5, SEED) == trials("bursty", 5, SEED)
    assert trials("bursty", 5, SEED) != trials("bursty", 5, SEED + 1)
