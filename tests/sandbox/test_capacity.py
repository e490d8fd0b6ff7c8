"""The sandbox holds a large workspace in little memory; `make bench-sandbox` tells its speed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from pipedream_source.sandbox import Sandbox

EMITTERS, EVENTS = 1_000, 100
# Serves until its input ends, and tells its greatest size for each line of it.
SERVER = """
import json, resource, sys
from pathlib import Path
from pipedream_source.sandbox import Sandbox

def greatest_size():
    # `ru_maxrss` begins with the size of the process that started this one.
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [row for row in status.read_text().splitlines() if row.startswith("VmHWM:")]
        return int(line.split()[1]) / 2**10
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)

with Sandbox() as sandbox:
    print(json.dumps({"port": sandbox.port, "url": sandbox.url}), flush=True)
    for _ in sys.stdin:
        print(greatest_size(), flush=True)
"""


class Measured:
    """A sandbox in a process of its own, driven over HTTP."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.remote = Sandbox()
        about = json.loads(self._line())
        self.remote.port, self.remote.url = about["port"], about["url"]

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def megabytes(self) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._line())


@pytest.fixture
def measured() -> Iterator[Measured]:
    command, pipe = [sys.executable, "-c", SERVER], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Measured(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.chaos
def test_a_thousand_emitters_and_a_hundred_thousand_events(measured, session):
    event = {"text": "x" * 240}
    ids = measured.remote.add_emitters(EMITTERS, events=EVENTS, spread_s=3600, event=event)
    headers = {"Authorization": f"Bearer {measured.remote.api_key}"}

    def read(emitter: str) -> requests.Response:
        path = f"/sources/{emitter}/event_summaries?limit=100&expand=event"
        return session.get(measured.remote.url + path, headers=headers, timeout=60)

    for emitter in ids[::50]:
        assert read(emitter).json()["page_info"]["count"] == EVENTS
    assert measured.megabytes() < 400
