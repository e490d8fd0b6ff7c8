"""Runs a command from a process that is small itself: python -S launch.py FIGURES MEMORY COMMAND…

The operating system counts the memory of the process that starts a program as that program's own
peak, and the benchmark, which checks what was loaded, is large. MEMORY is `1` to sample the
memory all the time, which only Linux can tell. What was found is written to FIGURES as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

SAMPLE_S = 0.02
MB = 1024 * 1024


def watched(pid: int, began: float) -> list[tuple[float, float]]:
    """Sample a process's resident memory in MB until it ends."""
    page_mb = os.sysconf("SC_PAGE_SIZE") / MB
    stat, statm = Path(f"/proc/{pid}/stat"), Path(f"/proc/{pid}/statm")
    samples: list[tuple[float, float]] = []
    while True:
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return samples
            resident = int(statm.read_text().split()[1]) * page_mb
        except (OSError, IndexError):
            return samples
        samples.append((round(time.monotonic() - began, 3), round(resident, 1)))
        time.sleep(SAMPLE_S)


def main() -> None:
    """Run the command and write what it cost."""
    path, with_memory, *command = sys.argv[1:]
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    memory = watched(process.pid, began) if with_memory == "1" else []
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    figures = {
        "began": began,
        "wall_s": time.monotonic() - began,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / (1024 if sys.platform == "linux" else MB),
        "exit_code": process.returncode,
        "memory": memory,
    }
    Path(path).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
