"""Colours are told apart by colour-blind people, and seen on light and dark pages."""

import itertools

import numpy as np
import pytest

pytest.importorskip("altair", reason="notebooks need `make extras`")

from notebooks.reading.charts import QUOTA_LINE
from notebooks.reading.palette import GREEN, SKY, STANDINGS, VERMILION

LIGHT, DARK = "#FFFFFF", "#181C1A"  # marimo's pages
# Machado, Oliveira, Fernandes: "A Physiologically-based Model for Simulation of Color Vision
# Deficiency" (2009), severity 1.0.
SIMULATED = {
    "nobody": np.eye(3),
    "protan": [[0.152, 1.052, -0.204], [0.114, 0.786, 0.099], [-0.003, -0.048, 1.051]],
    "deutan": [[0.367, 0.860, -0.227], [0.280, 0.672, 0.047], [-0.011, 0.042, 0.968]],
    "tritan": [[1.255, -0.076, -0.178], [-0.078, 0.930, 0.147], [0.004, 0.691, 0.303]],
}  # fmt: skip


def linear(colour: str, page: str = LIGHT) -> np.ndarray:
    """Return the linear RGB of a colour, laid over a page if it lets that through."""
    value, below = (
        np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for text in (colour, page)
    )
    share = int(colour[7:] or "ff", 16) / 255
    mixed = share * value + (1 - share) * below
    return np.where(mixed <= 0.04045, mixed / 12.92, ((mixed + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Return the CIELAB coordinates of a linear RGB."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ np.clip(rgb, 0.001, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.1, from 1 to 21."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("eyes", SIMULATED)
@pytest.mark.parametrize("page", [LIGHT, DARK])
def test_what_is_known_of_an_hour_is_told_apart(eyes: str, page: str) -> None:
    seen = [lab(np.array(SIMULATED[eyes]) @ linear(c, page)) for c in STANDINGS.values()]
    pairs = itertools.combinations(seen, 2)
    # From a difference of some 10 on, two colours are told apart side by side.
    assert min(float(np.linalg.norm(one - other)) for one, other in pairs) > 10
    safe, unsafe = (lab(np.array(SIMULATED[eyes]) @ linear(c, page)) for c in (GREEN, VERMILION))
    assert np.linalg.norm(safe - unsafe) > 10


@pytest.mark.parametrize("behind", [LIGHT, DARK, SKY, VERMILION])
def test_the_line_of_a_quota_is_seen_on_all_that_is_behind_it(behind: str) -> None:
    assert max(contrast(colour, behind) for colour, _ in QUOTA_LINE) > 3
