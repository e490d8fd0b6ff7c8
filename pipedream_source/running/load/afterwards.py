"""What a load runs when it is done, such as dbt, while it still holds the lock.

One writer at a time: whoever loads next to this place waits for both.

A command may be wanted only where there is news for it. News is forgotten by its success alone: so
it also follows the next load after one whose command failed, or that was killed in between.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipedream_source.exceptions import PipedreamError
from pipedream_source.running.context import Afterwards, Run
from pipedream_source.running.destination.target import Target
from pipedream_source.running.exit_codes import LOST, OK, SOME_FAILED

_SECRETS = ("API_KEY", "CLIENT_ID", "CLIENT_SECRET")
_LOADED = (OK, SOME_FAILED, LOST)
_LOOK_EVERY_S = 0.2


def run_afterwards(run: Run) -> None:
    """Run the command that was asked for, if the run loaded and no signal came.

    It finds the place of the rows in PIPEDREAM_DATABASE (for a DuckDB file) and
    PIPEDREAM_DATASET, and no credentials of Pipedream. A signal is passed on to it.

    Raises:
        PipedreamError: the command could not be started, or failed; what was loaded stays.
    """
    then = run.options.then
    loaded = run.report.loaded and run.report.exit_code in _LOADED
    if then is None or not loaded or _is_stopped(run):
        return
    if then.only_if_new and _followed_by(run.target) == then.digest:
        return
    then.before()
    name = run.said(shlex.join(then.words))
    try:
        code = _ended(run, then)
    except OSError as error:
        raise PipedreamError(f"Loaded, but --then {name!r} cannot be run: {error}") from None
    if _is_stopped(run):
        run.report.notes.append(f"Loaded; the signal ended --then {name!r}.")
    elif code:
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise PipedreamError(f"Loaded, but --then {name!r} ended with {how}")
    else:
        run.target.followed.write_text(then.digest, encoding="utf-8")


def note_news(target: Target) -> None:
    """Note that no command followed what is about to be loaded."""
    target.followed.unlink(missing_ok=True)


def _followed_by(target: Target) -> str:
    try:
        return target.followed.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _is_stopped(run: Run) -> bool:
    return run.interrupt.number != 0


def _ended(run: Run, then: Afterwards) -> int:
    """Run the command to its end and return its exit code; negative for a signal."""
    output = 2 if then.to_stderr else None
    environment = _environment(run)
    with subprocess.Popen(then.words, env=environment, stdout=output) as process:  # noqa: S603
        told = False
        while True:
            try:
                return process.wait(_LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                # From a terminal it came to both; one more does no harm.
                if _is_stopped(run) and not told:
                    process.send_signal(run.interrupt.number)
                    told = True


def _environment(run: Run) -> Mapping[str, str]:
    """Return this process's variables without credentials, and with the place of the rows."""
    redact = run.session.client.redact
    kept = {
        name: value
        for name, value in os.environ.items()
        if not _names_secret(name) and redact(value) == value
    }
    kept["PIPEDREAM_DATASET"] = run.target.dataset
    kept.pop("PIPEDREAM_DATABASE", None)
    if run.target.is_duckdb:
        kept["PIPEDREAM_DATABASE"] = str(Path(run.target.database).resolve())
    return kept


def _names_secret(name: str) -> bool:
    """Tell whether a variable gives this source its credentials, in our way or in dlt's."""
    is_ours = name.startswith("PIPEDREAM_") or "SOURCES__" in name
    return is_ours and name.endswith(_SECRETS)
