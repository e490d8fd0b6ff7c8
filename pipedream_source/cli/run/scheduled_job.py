"""From the flags of the verb to a job that a scheduler can run, which knows no folder of yours."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipedream_source.cli.schedules.job import Job
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.cli.flags.options import Place

# Variables for which `load` has a flag: what they say here goes along.
_HANDED_ON = {"base_url": "PIPEDREAM_BASE_URL", "org_id": "PIPEDREAM_ORG_ID"}
_OF_THE_SCHEDULE = ("database", "destination", "dataset", "pipelines_dir")
# The base of what a wrong word raises, which typer names no other way in all its versions.
_USAGE_ERROR: Any = typer.BadParameter.__base__


def job_from(
    every_s: float, folder: Path, command: Path | None, place: Place, flags: tuple[str, ...]
) -> Job:
    """Return a job whose paths are absolute.

    Args:
        every_s: seconds from start to start.
        folder: where it runs.
        command: the executable; None for this one.
        place: where the rows go; paths count from the folder.
        flags: for `load`.

    Raises:
        ConfigurationError: a path cannot be written down.
        typer.BadParameter: `load` does not take these flags.
    """
    home = _absolute(folder)
    pipelines = place.pipelines_dir or os.environ.get("DLT_DATA_DIR")
    return Job(
        every_s=every_s,
        command=(str(_absolute(command)),) if command else _this_command(),
        folder=home,
        database=_absolute(place.database, home) if place.target().is_duckdb else None,
        destination=place.destination,
        dataset=place.dataset,
        pipelines_dir=_absolute(Path(pipelines), home) if pipelines else None,
        flags=_load_flags(flags),
    )


def _absolute(path: Path, base: Path | None = None) -> Path:
    """Return an absolute path; links stay, as they may come to lead elsewhere."""
    found = Path(os.path.normpath((base or Path.cwd()) / path.expanduser()))
    if not str(found).isprintable():
        raise ConfigurationError(f"No schedule can hold the path {str(found)!r}: use another one")
    return found


def _this_command() -> tuple[str, ...]:
    """Return how to call this very installation."""
    python = Path(sys.executable).absolute()
    beside = python.with_name("pipedream-source")
    if beside.is_file():
        return (str(beside),)
    return str(python), "-m", "pipedream_source.cli.app"


def _load_flags(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the flags for `load`, with those that stand for variables of this shell."""
    if not "".join(flags).isprintable():
        raise ConfigurationError("No schedule can hold flags with a line break or the like")
    given = _given(flags)
    for name in _OF_THE_SCHEDULE:
        if name in given:
            raise typer.BadParameter(f"{_flag(name)} goes before the --, to the schedule itself")
    more = ((_flag(n), os.environ.get(v)) for n, v in _HANDED_ON.items() if n not in given)
    return (*flags, *(word for flag, value in more if value for word in (flag, value)))


def _given(flags: tuple[str, ...]) -> set[str]:
    """Read flags as `load` does, so that a wrong one is told now and not by each run."""
    from pipedream_source.cli.run.load import load

    app = typer.Typer(add_completion=False)
    app.command()(load)
    try:
        context = typer.main.get_command(app).make_context("load", [*flags])
    except _USAGE_ERROR as error:
        raise typer.BadParameter(f"`load` says: {error.format_message()}") from None
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
