"""`pipedream-source demo`: the whole story in seconds, without an account or a network."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipedream_source.cli.command.errors import guarded, show_warnings, verbosity
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.output.console import grid, lost_range, out, plural, print_json, shown
from pipedream_source.cli.run.demo_queries import ask, print_answers
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.running.destination.target import Target
    from pipedream_source.running.report import LoadReport
    from pipedream_source.sandbox.server import Sandbox

EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source demo\n\n"
    "  pipedream-source demo --database try.duckdb --json"
)
SEED = 7
BUSY_SOURCE = "Deploy hooks"
BURST, BURST_S, HOUR_S = 240, 600, 3_600
MARKER = "made-by-demo"


@guarded
def demo(
    database: Annotated[
        Path,
        typer.Option(metavar="FILE", help="The DuckDB file; an earlier demo's is replaced."),
    ] = Path("pipedream_demo.duckdb"),
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
) -> None:
    """Load from a stand-in of Pipedream, let a burst overrun a stream, and see the loss found.

    It needs no account and no network, takes seconds, and leaves a DuckDB file to look at.
    """
    from pipedream_source.running.destination.target import Target
    from pipedream_source.sandbox.server import Sandbox

    show_warnings(wanted=verbosity() > 0)
    target = Target(database=database)
    start_afresh(target)
    with Sandbox(seed=SEED) as sandbox:
        story = _Story(sandbox, target, _silent() if as_json else out(), animated=not as_json)
        story.tell()
    answers = ask(target)
    if as_json:
        print_json(story.as_dict() | {"answers": answers})
        return
    print_answers(out(), answers)
    _print_next(out(), database)


def _silent() -> Console:
    return Console(quiet=True)


def start_afresh(target: Target) -> None:
    """Remove what an earlier demo left, and mark what this one makes.

    Raises:
        ConfigurationError: the file or the folder beside it is not a demo's.
        Busy: another demo is at work on it.
    """
    from pipedream_source.running.destination.lock import hold_lock

    marker, lock = target.folder / MARKER, target.folder / "lock"
    if not marker.exists():
        for path in (target.database, target.folder):
            if path.exists():
                raise ConfigurationError(
                    f"{printable(str(path), 500)} was not made by the demo and is left as it is: "
                    "name another file with --database."
                )
    target.check()
    with hold_lock(lock):
        marker.touch()
        for path in (target.database, Path(f"{target.database}.wal")):
            path.unlink(missing_ok=True)
        for path in target.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path not in (marker, lock):
                path.unlink()


class _Story:
    """Three loads and what happens between them."""

    def __init__(
        self, sandbox: Sandbox, target: Target, console: Console, *, animated: bool
    ) -> None:
        self.reports: list[LoadReport] = []
        self.truth = 0
        self._sandbox = sandbox
        self._target = target
        self._console = console
        self._animated = animated

    def tell(self) -> None:
        """Load, wait an hour, load, let a stream overrun, load."""
        self._say(
            "Pipedream keeps only the last 100 events of each stream. Here a stand-in of its API "
            f"runs on this machine, and its events go into [bold]{shown(self._target.database)}[/]."
        )
        with self._step("1", "The first load takes all that is still there"):
            self._tell_counts(self._load())
        with self._step("2", "An hour later, a second load takes only what is new"):
            self._sandbox.advance(HOUR_S)
            self._tell_counts(self._load())
        with self._step("3", f"{BUSY_SOURCE!r} emits {BURST} events in ten minutes, unwatched"):
            burst_id = self._overrun()
            report = self._load()
            self._tell_counts(report)
            self._tell_gaps(report, burst_id)

    def as_dict(self) -> dict[str, Any]:
        """Return what happened as one JSON-ready object."""
        return {
            "exit_code": 0,
            "database": str(self._target.database.resolve()),
            "loads": [report.as_dict() for report in self.reports],
            "lost": self.reports[-1].lost.as_dict() | {"truth": self.truth},
        }

    def _say(self, text: str) -> None:
        self._console.print(text)

    @contextmanager
    def _step(self, number: str, title: str) -> Iterator[None]:
        self._say(f"\n[bold cyan]{number}[/]  [bold]{title}[/]")
        yield

    def _load(self) -> LoadReport:
        from pipedream_source.api.client import PipedreamClient
        from pipedream_source.cli.run.load import load_shown
        from pipedream_source.resources.session.arguments import open_session
        from pipedream_source.running.context import LoadOptions

        client = PipedreamClient(self._sandbox.api_key, base_url=self._sandbox.url)
        session = open_session(client)
        report = load_shown(self._target, session, LoadOptions(), animated=self._animated)
        if report.error is not None:
            raise report.error
        if report.exit_code:
            raise typer.Exit(report.exit_code)
        self.reports.append(report)
        return report

    def _overrun(self) -> str:
        """Let one source emit more than its window holds; returns its id."""
        emitters = {e["name"]: e["id"] for e in self._sandbox.state()["emitters"]}
        burst_id: str = emitters[BUSY_SOURCE]
        self._sandbox.advance(BURST_S)
        self._sandbox.emit(burst_id, count=BURST, spread_s=BURST_S)
        return burst_id

    def _tell_counts(self, report: LoadReport) -> None:
        from pipedream_source.resources.schema.tables import EVENT_TABLES

        rows = [(table.name, report.tally.rows.get(table.name, 0)) for table in EVENT_TABLES]
        total = plural(sum(count for _, count in rows), "new event")
        self._say(f"   {total} from {plural(report.tally.polled, 'stream')}")
        self._say("   [dim]" + " · ".join(f"{name} {count:,}" for name, count in rows) + "[/]")

    def _tell_gaps(self, report: LoadReport, burst_id: str) -> None:
        kept = _stored(self._target, burst_id)
        self.truth = BURST - kept
        lost = report.lost
        told = lost_range(lost.least, lost.likely, lost.most)
        lines = [
            ("   [yellow]the gap[/]", f"{BUSY_SOURCE}, {_when(report.tally.gaps)}"),
            ("   [yellow]estimate[/]", f"[yellow]{told}[/] events lost"),
            (
                "   [yellow]truth[/]",
                f"[yellow]{self.truth}[/]: {BURST} were emitted, {kept} were still there",
            ),
        ]
        self._console.print(grid(lines))


def _when(gaps: list[dict[str, Any]]) -> str:
    return ", ".join(
        f"{gap['verdict']} from {gap['gap_start']:%H:%M} to {gap['gap_end']:%H:%M} UTC"
        for gap in gaps
    )


def _stored(target: Target, emitter_id: str) -> int:
    from pipedream_source.cli.read.database import open_reader

    with open_reader(target) as reader:
        rows = reader.rows(
            "SELECT emitter_id, count(*) AS n FROM source_event_summaries GROUP BY 1"
        )
    return int({row["emitter_id"]: row["n"] for row in rows}[emitter_id])


def _print_next(console: Console, database: Path) -> None:
    name, command, python = shown(database, 500), *(shown(tool, 500) for tool in _tools())
    file = shlex.quote(name)
    console.print(f"\nAll of it is in [bold]{name}[/], dataset pipedream.\n", soft_wrap=True)
    console.print("[bold]Look around[/]")
    look = f"import duckdb; duckdb.connect({name!r}).sql('FROM pipedream.workflow_errors').show()"
    console.print(f"  {command} status --database {file}", soft_wrap=True)
    console.print(f"  {command} gaps --database {file}", soft_wrap=True)
    console.print(f'  {python} -c "{look}"', soft_wrap=True)
    console.print("\n[bold]The same with your account[/]")
    wide = len(command) + len(" check")
    for line, why in (
        ("export PIPEDREAM_API_KEY=…", "from your account's settings"),
        (f"{command} check", "what can be read, and how often to"),
        (f"{command} load", "into pipedream_events.duckdb"),
    ):
        console.print(f"  {line:{max(wide, 30)}}  [dim]{why}[/]", soft_wrap=True)


def _tools() -> tuple[str, str]:
    """Return how a shell calls this command and its Python, which need not be on the PATH."""
    if shutil.which("pipedream-source"):
        return "pipedream-source", "python"
    # Not resolved: the links of a virtual environment lead out of it.
    folder = Path(sys.executable).absolute().parent
    if folder.is_relative_to(Path.cwd()):
        folder = folder.relative_to(Path.cwd())
    return shlex.quote(str(folder / "pipedream-source")), shlex.quote(str(folder / "python"))
