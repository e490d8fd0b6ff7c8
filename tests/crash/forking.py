"""A process with everything imported that forks a child for each command, to be killed.

Reads one JSON object a line: the words of the command, its environment, and the files for its
output. Answers with the child's process id, then with its exit code, negative for a signal.
"""

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

import pyarrow.dataset  # noqa: F401  what a load imports late, once for all children

from pipedream_source.cli import app
from pipedream_source.cli.flags import config  # noqa: F401
from pipedream_source.cli.run import compact, progress, summary  # noqa: F401
from pipedream_source.running.load import dlt_load  # noqa: F401
from tests.crash import conditions, points
from tests.integration.command import read_configuration


def become(order: dict[str, Any]) -> int:
    """Run the command, or a script, as if this process had been started so; return its code."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(file, number)
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    conditions.apply(os.environ)
    points.arm(os.environ)
    first, *_ = order["words"]
    sys.argv = ["pipedream-source", *order["words"]]
    try:
        if first.endswith(".py"):
            read_configuration(Path.cwd())
            runpy.run_path(first, run_name="__main__")
        else:
            app.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def child(order: dict[str, Any]) -> None:
    code = 1
    try:
        code = become(order)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        process = os.fork()
        if not process:
            child(order)
        tell(process)
        tell(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


if __name__ == "__main__":
    main()
