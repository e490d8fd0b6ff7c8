"""Which resources still poll, and may find workflows for the others."""

from __future__ import annotations


class Pollers:
    """The resources that poll; all are done when none has anything left of what was found."""

    def __init__(self) -> None:
        """Begin without resources."""
        # How many workflows were known when a resource last had nothing left to poll.
        self._polled_for: dict[object, int] = {}

    @property
    def is_polling(self) -> bool:
        """Whether some resource still polls."""
        return bool(self._polled_for)

    def clear(self) -> None:
        """Forget the resources of the extract before."""
        self._polled_for.clear()

    def begin(self, resource: object) -> None:
        """Note that a resource polls."""
        self._polled_for[resource] = -1

    def have_polled_all(self, resource: object, found: int) -> bool:
        """Note that a resource has nothing left to poll, and tell whether none of them has.

        Args:
            resource: that has polled all it knows.
            found: how many workflows are known now.
        """
        self._polled_for[resource] = found
        return all(count == found for count in self._polled_for.values())

    def end(self, resource: object) -> None:
        """Note that a resource ended, for whatever reason."""
        self._polled_for.pop(resource, None)
