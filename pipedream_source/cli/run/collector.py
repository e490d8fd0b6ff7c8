"""What dlt does, as lines of a progress display."""

from __future__ import annotations

from dlt.common.runtime.collector_base import Collector
from rich.progress import Progress, TaskID

_STEPS = {"Extract": "Polling", "Normalize": "Preparing", "Load": "Loading"}
_COUNTED = ("Files", "Jobs")


class RichCollector(Collector):
    """Shows dlt's steps as lines of a rich progress display."""

    def __init__(self, progress: Progress) -> None:
        """Show nothing until a step starts."""
        self._progress = progress
        self._task: TaskID | None = None

    def _start(self, step: str) -> None:
        self._task = None
        word = _STEPS.get(step.split(" ", 1)[0], step)
        if word != "Polling":
            self._task = self._progress.add_task(word, total=None, count="")

    def update(
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,
        inc_total: int | None = None,  # noqa: ARG002 - the base class names it
        message: str | None = None,  # noqa: ARG002
        label: str | None = None,
    ) -> None:
        """Move a step's bar on; dlt's many other counters are left out."""
        if self._task is not None and name in _COUNTED and label is None:
            if total is not None:
                self._progress.update(self._task, total=total)
            self._progress.advance(self._task, inc)

    def _stop(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
