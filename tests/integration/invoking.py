"""Invokes the command within the test's process, or on a terminal of its own."""

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from pipedream_source.cli.app import app
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import Command

PROMPT = b"to go on: "
IDLE_S = 5.0


@dataclass(frozen=True)
class Said:
    """What the command wrote, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        """The fields of each line of a pipe."""
        return [line.split("\t") for line in self.out.splitlines()]


class Invoker:
    """Runs verbs in this process; the environment is that of a `Command`."""

    def __init__(self, command: Command) -> None:
        assert command.sandbox is not None
        self.command = command
        self.sandbox: Sandbox = command.sandbox
        self.environment: dict[str, str | None] = {**command.environment, "COLUMNS": "400"}

    def run(
        self, *arguments: str, code: int = 0, stdin: str | None = None, **environment: Any
    ) -> Said:
        runner = CliRunner(env=self.environment | environment)
        done = runner.invoke(app, arguments, input=stdin, prog_name="pipedream-source")
        assert done.exit_code == code, f"{arguments}: {done.exit_code}\n{done.output}"
        assert self.sandbox.api_key not in done.output
        return Said(done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: str, **environment: Any) -> Any:
        return json.loads(self.run(*arguments, "--json", **environment).out)

    def calls(self) -> list[tuple[str, str]]:
        """The calls that the sandbox got since the last time."""
        entries = [(e["method"], e["path"].removeprefix("/v1")) for e in self.sandbox.journal()]
        self.sandbox.control("DELETE", "journal")
        return entries


def on_terminal(
    command: Command,
    *arguments: str,
    answer: str = "",
    sig: int = 0,
    columns: int = 100,
    **environment: str,
) -> tuple[int, str]:
    """Run the command on a terminal; answer its question, or send it a signal there."""
    master, slave = pty.openpty()
    environment |= {"COLUMNS": str(columns), "TERM": "xterm-256color"}
    # What runs in the background ignores an interrupt, and so would what it starts.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command.line(*arguments),
        cwd=command.folder,
        env=command.environment | environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as running:
        signal.signal(signal.SIGINT, ours)
        os.close(slave)
        seen = b""
        try:
            for piece in _pieces(master):
                seen += piece
                if seen.endswith(PROMPT) and sig:
                    # One that comes just before the command begins to read does not wake it: send
                    # another when nothing happened, as a person would.
                    running.send_signal(signal.Signals(sig))
                elif seen.endswith(PROMPT) and answer:
                    os.write(master, answer.encode() + b"\n")
                    answer = ""
            code = running.wait(timeout=60)
        finally:
            running.kill()
    os.close(master)
    return code, seen.decode()


def _pieces(master: int) -> Iterator[bytes]:
    """Yield what is written until the other end is closed, and nothing after each idle while."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([master], [], [], IDLE_S)[0]:
            yield b""
            continue
        try:
            piece = os.read(master, 65_536)
        except OSError:  # Linux says so when the other end is closed.
            return
        if not piece:
            return
        yield piece
    raise AssertionError("the command did not end")
