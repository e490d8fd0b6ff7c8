"""Where the text goes: to stdout, or into files that are never overwritten unasked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipedream_source.cli.command.errors import redacted
from pipedream_source.cli.schedules.job import File
from pipedream_source.exceptions import ConfigurationError


def refuse_secrets(files: Sequence[File]) -> None:
    """Refuse texts that hold a key, as a path or a flag with it in would bring about.

    Raises:
        ConfigurationError: one does.
    """
    if any(redacted(file.text) != file.text for file in files):
        raise ConfigurationError(
            "The schedule would hold the API key, as one of its paths or flags does: take it out "
            "of there"
        )


def printed(files: Sequence[File]) -> str:
    """Return what is printed: each file's text, under its name if there are several."""
    if len(files) == 1:
        return files[0].text.rstrip("\n")
    return "\n".join(f"# ---- {file.name} ----\n{file.text}" for file in files).rstrip("\n")


def write_files(files: Sequence[File], folder: Path, *, force: bool) -> list[Path]:
    """Write files, all or none, and return their paths.

    Raises:
        ConfigurationError: one exists already, or the folder cannot be written.
    """
    paths = [folder.expanduser() / file.name for file in files]
    taken = [str(path) for path in paths if os.path.lexists(path)]
    if taken and not force:
        raise ConfigurationError(
            f"{' and '.join(taken)} exists and is left as it is: --force overwrites it"
        )
    try:
        folder.expanduser().mkdir(parents=True, exist_ok=True)
        parts = [path.with_name(f".{path.name}.part") for path in paths]
        for part, file in zip(parts, files, strict=True):
            part.write_text(file.text, encoding="utf-8")
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"--output {folder} cannot be written: {error.strerror}") from None
    return paths
