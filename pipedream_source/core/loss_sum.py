"""What several gaps lost together: a sum with an unknown in it is unknown, and says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Loss = tuple[int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class LossSum:
    """The losses of several gaps or periods, added up.

    Attributes:
        least: events lost in all of them, at least.
        likely, most: the same, likely and at most; None where one of them has no bound.
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
        likely = [one for _, one, _ in found]
        closed = [(least, most) for least, _, most in found if most is not None]
        bounded_most = sum(most for _, most in closed)
        return cls(
            least=sum(least for least, _, _ in found),
            likely=None if None in likely else sum(one or 0 for one in likely),
            most=bounded_most if len(closed) == len(found) else None,
            bounded=len(closed),
            bounded_least=sum(least for least, _ in closed),
            bounded_most=bounded_most,
            unbounded=len(found) - len(closed),
        )

    def as_dict(self) -> dict[str, int | None]:
        """Return the sum as it stands in JSON; a null is an unknown."""
        return {"min": self.least, "likely": self.likely, "max": self.most}
