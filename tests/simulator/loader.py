"""A process with everything imported that forks a child for each load, which may be killed.

Reads one order a line and answers with one line: what the load reported, or its exit code. A kill
falls before the n-th change of a file or folder, so that the same order dies at the same place.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dlt  # noqa: F401 - imported once, for all children
import duckdb  # noqa: F401
import pyarrow.parquet  # noqa: F401
from dlt.common import time as dlt_time

from pipedream_source import PipedreamClient
from pipedream_source.api.http import limiter
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.context import LoadOptions
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load import dlt_load  # noqa: F401
from pipedream_source.running.load.load_run import run_load

CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir"})
WRITES = os.O_WRONLY | os.O_RDWR


def die_at(change: int) -> None:
    """Make this process kill itself before its n-th change of a file or folder, from 1 on."""
    left = change

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in CHANGES or (event == "open" and arguments[2] & WRITES):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def set_clock(now_ms: int) -> None:
    """Let this machine's clock show an instant and go on from there."""
    real = time.time
    ahead_s = now_ms / 1000 - real()
    time.time = lambda: real() + ahead_s
    # dlt keeps the function that it found; its load ids are times.
    dlt_time.precise_time = time.time
    dlt_time.increasing_precise_time._last = time.time()


def load(order: dict[str, Any]) -> dict[str, Any]:
    """Run one load and return its report."""
    set_clock(order["now_ms"])
    vars(limiter)["BACKOFF_BASE_S"] = 0.002
    if order["die_at"]:
        die_at(order["die_at"])
    elsewhere = order["pipelines_dir"]
    target = Target(
        database=Path(order["database"]), pipelines_dir=Path(elsewhere) if elsewhere else None
    )
    with PipedreamClient(order["key"], base_url=order["url"], retry_budget_s=2) as client:
        session = open_session(
            client, workflow_ids=order["workflow_ids"], channels=order["channels"]
        )
        return run_load(target, session, LoadOptions(lock_wait_s=0)).as_dict()


def forked(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do some work in a child and return its answer, or its exit code alone."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        code = 99
        try:
            os.write(writer, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(answer) if code == 0 else {"exit_code": code}


def main() -> None:
    """Carry out orders until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(forked(partial(load, order))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
