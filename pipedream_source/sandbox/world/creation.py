"""In which order the listed objects were made; one that is deleted keeps its place.

A list's cursor names an object. A client that deletes what it has listed asks for what stands
behind an object that is gone.
"""

from __future__ import annotations

from collections.abc import Iterable


class Creation:
    """The places of all objects that were ever made, from 1 on."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._made = 0

    def note(self, object_id: str) -> None:
        """Give a new object the last place, even if an earlier one had its id."""
        self._made += 1
        self._places.pop(object_id, None)
        self._places[object_id] = self._made

    def place(self, object_id: str) -> int:
        """Return an object's place; 0, in front of all, for one that never was."""
        return self._places.get(object_id, 0)

    @property
    def ids(self) -> list[str]:
        """All ids in the order in which the objects were made."""
        return list(self._places)

    def restore(self, ids: Iterable[str]) -> None:
        """Take over an order that was written down; what it lacks stands behind it."""
        order = dict.fromkeys((*ids, *self._places))
        self._places, self._made = {}, 0
        for object_id in order:
            self.note(object_id)
