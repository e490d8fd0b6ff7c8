"""What several gaps lost together: a sum with an unknown in it is unknown, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Loss = tuple[int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class LossSum:
    """The losses of several gaps or periods, added up.

    Attributes:
        least: events lost in all of them, at least.
        likely: the same, likely; None for several, as each may be wrong by a factor, in the same
            direction, and where it is not known.
        most: at most; None where one of them has no bound.
        bounded: how many of them have a bound.
        bounded_least, bounded_most: events lost in those.
        unbounded: how many have none.
    """

    least: int
    likely: int | None
    most: int | None
    bounded: int
    bounded_least: int
    bounded_most: int
    unbounded: int

    @classmethod
    def of(cls, losses: Iterable[Loss]) -> LossSum:
        """Add up losses, each at least, likely and at most (None: no bound is known)."""
        found = list(losses)
        closed = [(least, most) for least, _, most in found if most is not None]
        least, bounded_most = sum(one for one, _, _ in found), sum(most for _, most in closed)
        most = bounded_most if len(closed) == len(found) else None
        return cls(
            least=least,
            likely=found[0][1] if len(found) == 1 else least if most == least else None,
            most=most,
            bounded=len(closed),
            bounded_least=sum(one for one, _ in closed),
            bounded_most=bounded_most,
            unbounded=len(found) - len(closed),
        )

    @classmethod
    def of_gaps(cls, gaps: Iterable[Mapping[str, Any]]) -> LossSum:
        """Add up what rows of `event_gaps` lost."""
        return cls.of((gap["lost_min"], gap["lost_likely"], gap["lost_max"]) for gap in gaps)

    def as_dict(self) -> dict[str, int | None]:
        """Return the sum as it stands in JSON; a null is an unknown."""
        return {"min": self.least, "likely": self.likely, "max": self.most}
