"""`pipedream-source schedule`: the text that a scheduler takes, and what its period would lose."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.times import period_s
from pipedream_source.cli.output.console import duration, err, moment, print_json, print_text, shown
from pipedream_source.cli.run.check import advice, print_streams
from pipedream_source.cli.run.scheduled_job import job_from
from pipedream_source.cli.schedules.job import File, Job
from pipedream_source.cli.schedules.schedule_files import printed, refuse_secrets, write_files
from pipedream_source.cli.schedules.schedulers import Scheduler, files_for
from pipedream_source.exceptions import PipedreamError

if TYPE_CHECKING:
    from pipedream_source.cli.schedules.outlook import StoredOutlook

EXAMPLES = (
    "[bold]Examples[/]\n\n"
    "  pipedream-source schedule --every 15m --as cron\n\n"
    "  pipedream-source schedule --every 5m --as systemd --output ~/.config/systemd/user\n\n"
    "  pipedream-source schedule --every 1h --as github -- --only events --fail-on-loss"
)
# dlt's own variables: what they say here, no scheduler knows, and `load` has no flag for it.
_NOT_HANDED_ON = (
    "SOURCES__",
    "DESTINATION__",
    "LOAD__",
    "NORMALIZE__",
    "DLT_CONFIG",
    "DLT_PROJECT",
)
_NO_FOLDER = Path()
_TOLD = 20


@guarded
def schedule(
    every: Annotated[
        str, typer.Option(metavar="PERIOD", help="From start to start, such as 5m, 90m or 1d.")
    ],
    scheduler: Annotated[Scheduler, typer.Option("--as", help="What is to run it.")],
    load_flags: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- FLAGS]", help="For `load`, at each run.", show_default=False),
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(
            "--folder",  # typer 0.27 would name it after its metavar
            metavar="FOLDER",
            help="Where it runs and .dlt/ is; here by default.",
            show_default=False,
        ),
    ] = _NO_FOLDER,
    command: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The pipedream-source to run; this one by default."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write files there instead of printing them."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files there.")] = False,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Print the schedule for cron, systemd, GitHub Actions or another, with your paths in it.

    Stderr says whether that period is safe for the streams in the database, and how long loads
    took. The key is never in the text, which says where the key belongs.
    """
    job = job_from(period_s(every), folder, command, place, tuple(load_flags or ()))
    files = files_for(scheduler, job)
    refuse_secrets(files)
    written = write_files(files, output, force=force) if output else []
    found, why_unknown = _outlook(job)
    notes = list(_notes(job, found, why_unknown))
    if as_json:
        print_json(_as_dict(job, scheduler, files, written, found) | {"notes": notes})
        return
    console = err()
    if not output:
        print_text(printed(files))
        console.print()
    for path in written:
        console.print(f"wrote {shown(path, 500)}", soft_wrap=True)
    if found:
        _tell(console, found)
    for note in notes:
        console.print(f"[yellow]note[/]  {shown(note, 800)}")


def _outlook(job: Job) -> tuple[StoredOutlook | None, str]:
    """Return what the database tells of the period; else why it tells nothing."""
    from pipedream_source.cli.read.database import open_reader
    from pipedream_source.cli.schedules.outlook import stored_outlook

    try:
        with open_reader(job.target()) as reader:
            is_duckdb = job.database is not None
            return stored_outlook(reader, job.every_s, is_duckdb=is_duckdb), ""
    except PipedreamError as error:
        return None, str(error)


def _notes(job: Job, found: StoredOutlook | None, why_unknown: str) -> Iterator[str]:
    """Say what else should be known before this is put to work."""
    if found is None:
        yield (
            f"Whether every {job.every} is safe is not known: {why_unknown} Until then "
            f"`pipedream-source check --every {job.every}` asks the API."
        )
    elif found.loads and found.every_s > job.every_s:
        yield (
            f"A load took up to {duration(found.loads.longest_s)}, longer than {job.every}: runs "
            f"in between find it at work and end; every {duration(found.every_s)} is what counts."
        )
    if job.folder.is_dir():
        try:
            job.target().check()
        except PipedreamError as error:
            yield f"`load` will refuse this: {error}"
        secrets = job.folder / ".dlt" / "secrets.toml"
        if secrets.is_file() and secrets.stat().st_mode & 0o077:
            yield f"Others can read {secrets}: chmod 600 keeps the key for you alone."
    left_out = sorted(name for name in os.environ if name.startswith(_NOT_HANDED_ON))
    if left_out:
        yield (
            f"Set here and not in the schedule: {', '.join(left_out)}. Put them where the key "
            "stands, or into .dlt/config.toml."
        )


def _tell(console: Console, found: StoredOutlook) -> None:
    """Say whether the period is safe, which streams are at risk, and how long loads take."""
    worst = sorted(found.at_risk, key=lambda stream: -(stream.busiest or 0))
    if worst:
        print_streams(console, replace(found.survey, streams=worst[:_TOLD]))
    if len(worst) > _TOLD:
        console.print(f"[dim]and {len(worst) - _TOLD:,} more, see --json[/]")
    told = advice(found.survey)
    console.print(f"{told} [dim]As of {moment(found.as_of)} UTC, from what is stored.[/]")
    if loads := found.loads:
        console.print(
            f"A load takes {duration(loads.usual_s)}, at most {duration(loads.longest_s)} "
            f"[dim](the last {loads.runs:,} runs)[/]."
        )


def _as_dict(
    job: Job,
    scheduler: Scheduler,
    files: Sequence[File],
    written: Sequence[Path],
    found: StoredOutlook | None,
) -> dict[str, Any]:
    return {
        "as": scheduler.value,
        "every_s": job.every_s,
        "command": job.words(),
        "folder": job.folder,
        "files": [file._asdict() for file in files],
        "written": written,
        "safe": found.is_safe if found else None,
        "counts_every_s": found.every_s if found else None,
        "advised_every_s": found.survey.advised_every_s if found else None,
        "loads": asdict(found.loads) if found and found.loads else None,
        "streams": [_stream(s, found) for s in found.survey.streams] if found else [],
    }


def _stream(stream: Any, found: StoredOutlook) -> dict[str, Any]:
    key = (stream.emitter_id, stream.channel)
    return asdict(stream) | {
        "name": found.survey.names.get(stream.emitter_id),
        "headroom": found.headroom.get(key),
        "rule_every_s": found.rule_s.get(key),
    }
