"""Progress on stderr: streams polled, then what dlt does with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlt.common.runtime.collector import NULL_COLLECTOR
from dlt.common.runtime.collector_base import Collector
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from pipedream_source.cli.console import err
from pipedream_source.cli.guard import verbosity
from pipedream_source.resources.session import Session

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


@contextmanager
def shown_progress(session: Session, *, wanted: bool) -> Iterator[Any]:
    """Show the progress of a session while the block runs; yields a collector for dlt.

    Nothing moves when stderr is no terminal, or when log lines are to be read there.
    """
    console = err()
    if not wanted or not console.is_terminal or verbosity():
        yield NULL_COLLECTOR
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Asking what there is", total=None, count="")

        def on_progress(done: int, total: int) -> None:
            new = f" · {session.events_new:,} new events" if session.events_new else ""
            count = f"{done:,}/{total:,} streams{new}"
            progress.update(task, description="Polling", completed=done, total=total, count=count)

        session.on_progress = on_progress
        yield RichCollector(progress)
