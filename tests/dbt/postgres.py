"""A throw-away Postgres of this machine: a folder, a port of its own, and gone afterwards."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# The server refuses to run as root.
OTHERS = ("postgres", "nobody")
SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=40")


class NoServer(Exception):
    """No server can be started here; the text says why."""


@dataclass(frozen=True)
class Server:
    """A running server that trusts whoever asks from this machine."""

    port: int
    user: str = "pipedream"
    database: str = "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}:any@127.0.0.1:{self.port}/{self.database}"

    @property
    def environment(self) -> dict[str, str]:
        """What dlt, dbt and psycopg2 read."""
        return {
            "DESTINATION__POSTGRES__CREDENTIALS": self.url,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
        }


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A Postgres of this machine, or the reason why there is none."""
    if importlib.util.find_spec("psycopg2") is None:
        pytest.skip("psycopg2 is not installed: make extras")
    try:
        with postgres() as running:
            yield running
    except NoServer as why:
        pytest.skip(str(why))


@contextmanager
def postgres() -> Iterator[Server]:
    """Run a server while the block runs.

    Raises:
        NoServer: there is none on this machine, or it does not start.
    """
    tools = _tools()
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        owner = _owner_of(folder)
        data, port = folder / "data", _free_port()
        _done(
            tools / "initdb",
            "-D",
            data,
            "-U",
            Server.user,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            **owner,
        )
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={port}",
            f"unix_socket_directories={folder}",
        ]
        options = [word for setting in (*settings, *SETTINGS) for word in ("-c", setting)]
        command = [str(tools / "postgres"), "-D", str(data), *options]
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(command, stdout=log, stderr=log, **owner)
        try:
            _wait_for(port, running, folder / "log")
            yield Server(port)
        finally:
            running.send_signal(signal.SIGINT)  # do not wait for clients
            running.wait(60)


def _tools() -> Path:
    """Find the folder of the server's programs: on the PATH, or where Debian keeps them."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoServer(
        "no Postgres server is installed (initdb is neither on the PATH nor in /usr/lib)"
    )


def _owner_of(folder: Path) -> dict[str, Any]:
    """Hand a folder over to a user who may run a server; how to start processes as that user."""
    if os.geteuid():
        return {}
    for name in OTHERS:
        try:
            shutil.chown(folder, name)
        except LookupError:
            continue
        return {"user": name, "extra_groups": [], "cwd": folder}
    raise NoServer(f"Postgres does not run as root, and there is no user {' or '.join(OTHERS)}")


def _done(*words: object, **how: Any) -> None:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, **how
    )
    if done.returncode:
        raise NoServer(f"initdb failed: {done.stderr.strip()[-300:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NoServer(f"Postgres did not start: {log.read_text(errors='replace')[-300:]}")
