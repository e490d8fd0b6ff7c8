"""A process with everything imported that forks a child for each load, to be killed.

Reads one JSON object a line: the arguments of a `Warehouse` and, if the child is to kill itself,
the stage at which. Answers with the child's process id, then with its wait status.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
from dlt.common.storages.load_package import PackageStorage
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.extract.extract import Extract

from tests.integration.contract.warehouse import Warehouse

PLACES: dict[str, tuple[Any, str]] = {
    "extract": (dlt.Pipeline, "extract"),
    "commit": (Extract, "commit_packages"),
    "save-state": (dlt.Pipeline, "_save_state"),
    "normalize": (dlt.Pipeline, "normalize"),
    "load": (dlt.Pipeline, "load"),
    "schema": (DuckDbClient, "update_stored_schema"),
    "copy": (DuckDbCopyJob, "run"),
    "note": (PackageStorage, "save_pending_transition"),
    "complete-job": (PackageStorage, "complete_job"),
    "record-load": (DuckDbClient, "complete_load"),
    "archive": (PackageStorage, "complete_loading_package"),
}


def die_at(stage: str) -> None:
    """Make this process kill itself before or after a place, `before extract` or `after copy:t`."""
    when, _, rest = stage.partition(" ")
    name, _, table = rest.partition(":")
    owner, method = PLACES[name]
    original = getattr(owner, method)

    def fatal(self: Any, *args: Any, **kwargs: Any) -> Any:
        meant = not table or any(
            f"{table}." in str(a) for a in (*args, getattr(self, "_file_path", ""))
        )
        if when == "before" and meant:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(self, *args, **kwargs)
        if meant:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, method, fatal)


def forked(work: Callable[[], int]) -> int:
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        code = work()
    finally:
        os._exit(code)


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        warehouse = Warehouse(Path(order["folder"]), order["url"])

        def work(warehouse: Warehouse = warehouse, stage: str = order["stage"]) -> int:
            if stage:
                die_at(stage)
            return warehouse.load().exit_code

        child = forked(work)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        status = os.waitpid(child, 0)[1]
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
