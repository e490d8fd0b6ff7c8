"""How many windows the sandbox serves in a second of one core, so that it is no bottleneck.

A window is read whole: 100 events of some 250 bytes. Only the server's CPU time counts.
"""

import subprocess
import sys

import requests

from pipedream_source.sandbox import Sandbox

EMITTERS, EVENTS, ROUNDS, READS = 1_000, 100, 5, 200
SERVER = """
import sys, time
from pipedream_source.sandbox import Sandbox

with Sandbox() as sandbox:
    print(sandbox.port, sandbox.url, flush=True)
    for _ in sys.stdin:
        print(time.process_time(), flush=True)
"""


def main() -> None:
    """Measure some rounds, each of other windows, and print their rates."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        remote = Sandbox()
        port, remote.url = process.stdout.readline().split()
        remote.port = int(port)
        rates = measure(remote, process)
        process.stdin.close()
    print("windows a second of CPU:", *(f"{rate:,.0f}" for rate in rates))


def measure(remote: Sandbox, process: "subprocess.Popen[str]") -> list[float]:
    """Return the rates of all rounds."""
    event = {"text": "x" * 240}
    ids = remote.add_emitters(EMITTERS, events=EVENTS, spread_s=3600, event=event)
    rates = []
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {remote.api_key}"
        for number in range(ROUNDS):
            before = cpu_of(process)
            for emitter in ids[number * READS : (number + 1) * READS]:
                path = f"/sources/{emitter}/event_summaries?limit=100&expand=event"
                assert session.get(remote.url + path, timeout=10).json()["page_info"]["count"]
            rates.append(READS / (cpu_of(process) - before))
    return rates


def cpu_of(process: "subprocess.Popen[str]") -> float:
    """Ask the server for the CPU seconds that it has used."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


if __name__ == "__main__":
    main()
