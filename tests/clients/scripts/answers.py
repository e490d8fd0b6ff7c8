"""What each script here shares: the task from the standard input, the answers to the output."""

import json
import sys
from collections.abc import Callable, Sized
from datetime import datetime
from types import SimpleNamespace
from typing import Any

TASK: dict[str, Any] = json.load(sys.stdin)
PATH: str = TASK["path"]
DATASET: str = TASK["dataset"]
VIEWS: list[str] = TASK["views"]
SQL = SimpleNamespace(**TASK["sql"])
SQL.payloads_as_text = SQL.payloads.replace("event", "CAST(event AS VARCHAR) AS event", 1)

Rows = Callable[[str], list[tuple]]


def moment(value: datetime | str) -> dict[str, Any]:
    """Describe a time as it arrived: its moment, and the offset of its zone."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    offset = time.utcoffset()
    minutes = None if offset is None else round(offset.total_seconds() / 60)
    return {"ms": round(time.timestamp() * 1000), "minutes": minutes}


def value(rows: Rows, query: str) -> Any:
    """Return the one value of a query."""
    ((found,),) = rows(query)
    return found


def names(rows: Rows) -> list[str]:
    """Return the tables and views as SQL has them."""
    return [name for (name,) in rows(SQL.listed)]


def examples(rows: Callable[[str], Sized]) -> dict[str, int]:
    """Run the README's SQL; return how many rows each query gives."""
    return {query: len(rows(query)) for query in TASK["examples"]}


def views(rows: Rows) -> dict[str, int]:
    """Count the rows of each view, and run the README's SQL."""
    return {view: value(rows, SQL.view.format(view=view)) for view in VIEWS} | examples(rows)


def tell(rows: Rows, /, **own: Callable[[], Any]) -> None:
    """Print what each check returned, or its error.

    Args:
        rows: reads a query's rows in the client's way.
        own: checks that the client makes in another way than by SQL, and its advice.
    """
    checks: dict[str, Callable[[], Any]] = {
        "version": lambda: value(rows, SQL.version),
        "rows": lambda: value(rows, SQL.rows),
        "listed": lambda: names(rows),
        "payloads": lambda: dict(rows(SQL.payloads)),
        "key": lambda: value(rows, SQL.key),
        "time": lambda: moment(value(rows, SQL.time)),
        "views": lambda: views(rows),
        "comment": lambda: value(rows, SQL.comment),
    }
    told = {}
    for name, check in (checks | own).items():
        try:
            told[name] = {"value": check()}
        except Exception as error:
            told[name] = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write("\n" + json.dumps(told))
