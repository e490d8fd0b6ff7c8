"""Runs verbs of the command in one process, with every logger at DEBUG; a program of its own.

It takes steps as JSON: the words after `pipedream-source`, and the name of a function that is to
fail meanwhile, aloud with a `!` behind it. What
each wrote, and each log record with its arguments and its traceback with locals, goes to the
folder that it is told.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import traceback
from pathlib import Path
from unittest import mock


class Recorder(logging.Handler):
    """Writes all that any handler could show of a record."""

    def __init__(self, path: Path) -> None:
        super().__init__(level=1)
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")

    def emit(self, record: logging.LogRecord) -> None:
        self._file.write(f"{record.getMessage()} {vars(record)!r}\n")
        if record.exc_info and record.exc_info[1]:
            shown = traceback.TracebackException.from_exception(
                record.exc_info[1], capture_locals=True
            )
            self._file.write("".join(shown.format()))
        self._file.flush()


class Stream(io.TextIOWrapper):
    """Keeps what is written, and is a terminal if the environment says so."""

    def isatty(self) -> bool:
        return "AS_TERMINAL" in os.environ


def crash(*_: object, **__: object) -> None:
    """Fail as nobody foresaw, in a frame that knows the key."""
    key = os.environ["PIPEDREAM_API_KEY"]
    raise RuntimeError(f"boom after {len(key)}")


def crash_aloud(*_: object, **__: object) -> None:
    """Fail with the key in the message."""
    raise RuntimeError(f"boom {os.environ['PIPEDREAM_API_KEY']}")


_CRASHES = {False: crash, True: crash_aloud}


def run(words: list[str], broken: str | None) -> int:
    from pipedream_source.cli.app import main

    sys.argv = ["pipedream-source", *words]
    with contextlib.ExitStack() as stack:
        if broken:
            stack.enter_context(mock.patch(broken.rstrip("!"), _CRASHES[broken.endswith("!")]))
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def isolated(words: list[str], broken: str | None, into: Path) -> int:
    """Run a verb and keep what it wrote."""
    out, err = (Stream(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(words, broken)
    for name, stream in (("out", out), ("err", err)):
        stream.flush()
        (into / f"{'-'.join(words[:2])}.{name}").open("ab").write(stream.buffer.getvalue())  # type: ignore[attr-defined]
    return code


def start(log: Path) -> None:
    """Listen to every logger, those that do not hand on what they get included."""
    recorder = Recorder(log)
    logging.basicConfig(level=1, handlers=[recorder])
    import dlt  # noqa: F401

    for name in ("dlt", "urllib3", "requests", "pipedream_source"):
        logger = logging.getLogger(name)
        logger.setLevel(1)
        logger.addHandler(recorder)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    steps = json.loads(sys.argv[2])
    start(folder / "records.log")
    codes = [isolated(words, broken, folder) for words, broken in steps]
    sys.stdout.write(json.dumps(codes))
