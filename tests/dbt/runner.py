"""dbt in a process of its own, which parses the project once and then obeys: a JSON line each way.

Within the tests' process its open files and its warnings would be theirs.
"""

import json
import os
import sys
import warnings
from typing import Any


def main() -> None:
    warnings.simplefilter("ignore")
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    parsed: Any = None
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever dbt prints is no answer
    for line in sys.stdin:
        order = json.loads(line)
        os.environ.update(order["environment"])
        common = order["common"]
        parsed = parsed or dbtRunner().invoke(["parse", *common]).result
        done = dbtRunner(manifest=parsed).invoke([*order["arguments"], *common])
        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()  # as the end of a process would
            DuckDBConnectionManager.close_all_connections()
        answer = {"success": done.success, "error": str(done.exception or "")}
        results = getattr(done.result, "results", None) or []
        answer["results"] = [
            {"name": found.node.name, "status": str(found.status), "message": str(found.message)}
            for found in results
        ]
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
