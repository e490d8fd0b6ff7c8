"""How many windows the sandbox serves in a second of one core, so that it is no bottleneck.

A window holds 100 events, of some 250 bytes or of 8 KB; there is one figure for each form in
which clients ask for it. Only the server's CPU time counts. Each round reads other windows, so
that no form profits from an earlier reading.
"""

import subprocess
import sys

import requests

from pipedream_source.sandbox import Sandbox

EMITTERS, LARGE, EVENTS, ROUNDS, READS = 1_000, 200, 100, 5, 200
WHOLE = "limit=100&expand=event"
# What a form is called, whether its events are large, and what is asked for.
FORMS = [
    ("whole", False, WHOLE),
    ("without expand", False, "limit=100"),
    ("include=id", False, f"{WHOLE}&include=id"),
    ("exclude=event", False, f"{WHOLE}&exclude=event"),
    ("exclude=metadata", False, f"{WHOLE}&exclude=metadata"),
    ("the last ten", False, "expand=event"),
    ("8 KB, whole", True, WHOLE),
    ("8 KB, without expand", True, "limit=100"),
    ("8 KB, include=id", True, f"{WHOLE}&include=id"),
]
SERVER = """
import sys, time
from pipedream_source.sandbox import Sandbox

with Sandbox() as sandbox:
    print(sandbox.port, sandbox.url, flush=True)
    for _ in sys.stdin:
        print(time.process_time(), flush=True)
"""


def main() -> None:
    """Measure some rounds of each form and print the median of their rates."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        remote = Sandbox()
        port, remote.url = process.stdout.readline().split()
        remote.port = int(port)
        small = remote.add_emitters(EMITTERS, events=EVENTS, event={"text": "x" * 240})
        large = remote.add_emitters(LARGE, events=EVENTS, event={"text": "x" * 8_000})
        print("windows a second of CPU, the median of", ROUNDS, "rounds:")
        for name, is_large, query in FORMS:
            rates = measure(remote, process, large if is_large else small, query)
            print(f"{name:22}{rates[ROUNDS // 2]:8,.0f}   ({rates[0]:,.0f} to {rates[-1]:,.0f})")
        process.stdin.close()


def measure(
    remote: Sandbox, process: "subprocess.Popen[str]", ids: list[str], query: str
) -> list[float]:
    """Return the rates of all rounds of one form, the lowest first."""
    rates = []
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {remote.api_key}"
        for number in range(ROUNDS):
            before = cpu_of(process)
            for place in range(number * READS, (number + 1) * READS):
                path = f"/sources/{ids[place % len(ids)]}/event_summaries?{query}"
                answer = session.get(remote.url + path, timeout=10)
                assert b'"total_count":100' in answer.content[:100], answer.content[:200]
            rates.append(READS / (cpu_of(process) - before))
    return sorted(rates)


def cpu_of(process: "subprocess.Popen[str]") -> float:
    """Ask the server for the CPU seconds that it has used."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


if __name__ == "__main__":
    main()
