"""Progress on stderr: streams polled, then what dlt does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipedream_source.cli.command.errors import verbosity
from pipedream_source.cli.output.console import err
from pipedream_source.resources.session.session import Session


@dataclass(frozen=True, slots=True)
class Shown:
    """A display of progress.

    Attributes:
        collector: makes a dlt collector; None when nothing is shown.
        end: takes the display away, for what writes to the terminal itself.
    """

    collector: Callable[[], Any] | None = None
    end: Callable[[], object] = lambda: None


@contextmanager
def shown_progress(session: Session, *, wanted: bool) -> Iterator[Shown]:
    """Show the progress of a session while the block runs.

    Nothing moves when stderr is no terminal, or when log lines are to be read there.
    """
    if not wanted or verbosity() or not err().is_terminal:
        yield Shown()
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as progress:
        task = progress.add_task("Asking what there is", total=None, count="")

        def on_progress(done: int, total: int) -> None:
            new = f" · {session.tally.events_new:,} new events" if session.tally.events_new else ""
            count = f"{done:,}/{total:,} streams{new}"
            progress.update(task, description="Polling", completed=done, total=total, count=count)

        def collector() -> Any:
            from pipedream_source.cli.run.collector import RichCollector

            return RichCollector(progress)

        session.tally.watch(on_progress)
        yield Shown(collector, progress.stop)
