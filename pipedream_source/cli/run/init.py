"""`pipedream-source init`: files for the configuration, private, and never over existing ones."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.config import credentials, project_folder, session_from
from pipedream_source.cli.output.console import err, out, print_json, shown
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import DATABASE

EXAMPLES = examples("init", "init --no-check --json")
CONFIG = """\
# What pipedream-source reads besides flags and PIPEDREAM_… variables, which count first.
[sources.pipedream]
# Workflows cannot be listed: name those that no subscription and no error names.
# workflow_ids = ["p_abc123"]
# Only one workspace:
# org_id = "o_abc123"

[runtime]
dlthub_telemetry = false
"""
SECRETS = """\
# For your eyes only: this file is readable by you alone, and git should ignore it.
[sources.pipedream]
# The API key that stands in your Pipedream account's settings; remove the # before it.
# api_key = "…"
# Or a workspace's OAuth client instead:
# client_id = "…"
# client_secret = "…"
"""
_TEMPLATES = {"config.toml": CONFIG, "secrets.toml": SECRETS}


@guarded
def init(
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not ask the API who a key belongs to.")
    ] = False,
    as_json: given.Json = False,
    _verbose: given.Verbose = 0,
) -> None:
    """Write .dlt/config.toml and .dlt/secrets.toml, keep git off the secrets, and check them.

    A file that exists is left as it is, and what it lacks is said. Nothing is asked of you: put
    your key into .dlt/secrets.toml, then run this again to see whether it works.
    """
    folder = project_folder()
    files = {str(folder / name): _written(folder / name, text) for name, text in _writing(folder)}
    ignored = _ignored(folder)
    # They are read as every verb reads them: what cannot be read is told now.
    has_key = bool(credentials())
    owner = _owner() if has_key and not no_check else None
    if as_json:
        lacks = {name: _TEMPLATES[Path(name).name] for name in files if files[name] == "lacks"}
        told = {"files": files, "to_add": lacks, "gitignore": ignored}
        print_json(told | {"has_key": has_key, "owner": owner})
    else:
        _tell(folder, files, ignored, has_key=has_key, owner=owner)


def _writing(folder: Path) -> Iterator[tuple[str, str]]:
    """Make the folder, and yield what belongs in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{printable(str(folder), 500)} cannot be made ({error.strerror}): go to a folder that "
            "can be written, where you will run the command"
        ) from None
    yield from _TEMPLATES.items()


def _written(path: Path, text: str) -> str:
    """Write a new file; say `written`, `kept`, or `lacks` of one that says nothing of us."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return "kept" if _concerns_us(path) else "lacks"
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return "written"


def _concerns_us(path: Path) -> bool:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {printable(str(error), 300)}") from None
    sources = found.get("sources")
    return isinstance(sources, Mapping) and "pipedream" in sources


def _ignored(folder: Path) -> list[str]:
    """Add to .gitignore what must not be committed; return the lines that were added."""
    place = folder.resolve().parent
    if not any((above / ".git").exists() for above in (place, *place.parents)):
        return []
    file = place / ".gitignore"
    try:
        lines = _added(file, folder.name)
    except OSError as error:
        raise ConfigurationError(
            f"{printable(str(file), 500)} cannot be read or written ({error.strerror}): git would "
            "commit your key; add a line that ignores .dlt/secrets.toml yourself"
        ) from None
    return [f"/{line}" for line in lines]


def _added(file: Path, folder: str) -> list[str]:
    """Add to a .gitignore what it lacks; whatever it holds is kept as it is, in any encoding."""
    before = file.read_text("utf-8", "replace") if file.exists() else ""
    known = {line.strip().lstrip("/").rstrip("/") for line in before.splitlines()}
    wanted = {
        f"{folder}/secrets.toml": {folder, "secrets.toml", "**/secrets.toml"},
        f"{DATABASE}*": {"*.duckdb*"},
    }
    lines = [line for line, others in wanted.items() if not {line, *others} & known]
    if lines:
        start = "\n" if before and not before.endswith("\n") else ""
        with file.open("a", encoding="utf-8") as added:
            added.write(start + "".join(f"/{line}\n" for line in lines))
    return lines


def _owner() -> dict[str, Any]:
    """Ask who the key belongs to.

    Raises:
        Unauthorized: it is wrong.
    """
    session = session_from({})
    with session.client:
        found = session.account.check_key()
        if session.account.owner_error is not None:
            raise session.account.owner_error
    return {name: found.get(name) for name in ("id", "username", "name", "email") if name in found}


def _tell(
    folder: Path,
    files: Mapping[str, str],
    ignored: list[str],
    *,
    has_key: bool,
    owner: Mapping[str, Any] | None,
) -> None:
    console = out()
    for name, what in files.items():
        style = "green" if what == "written" else "yellow"
        console.print(f"[{style}]{what:8}[/] {shown(name, 500)}")
        if what == "lacks":
            console.print("[dim]It has no \\[sources.pipedream], and is left as it is. To add:[/]")
            console.print(_TEMPLATES[Path(name).name], markup=False)
    for line in ignored:
        console.print(f"[green]ignored[/]  {shown(line)} in .gitignore")
    secrets = folder / "secrets.toml"
    if stat.S_IMODE(secrets.stat().st_mode) & 0o077:
        err().print(f"[yellow]warning[/]  others can read {shown(secrets)}: chmod 600 {secrets}")
    if owner:
        who = owner.get("username") or owner.get("name") or owner.get("id")
        console.print(f"[green]works[/]    the key belongs to {shown(who)}")
    elif not has_key:
        console.print(
            f"[bold]next[/]     put your API key into {shown(secrets)}, then run it again"
        )
