"""Write every notebook as a page, and every chart as a page and a picture: none needs a network.

Example:
    python -m notebooks.offline --database pipedream_events.duckdb
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from notebooks.offline.bundle import FOLDER, offline, write_frontend
from notebooks.offline.pictures import write_charts
from notebooks.reading.database import VARIABLE, NotReadable, candidates, choose

NOTEBOOKS = ("quickstart", "events", "errors", "completeness", "usage")
_HERE = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Write the pages; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.offline", description=__doc__)
    parser.add_argument("--database", help=f"a DuckDB file; by default {VARIABLE}, else the newest")
    parser.add_argument("--to", type=Path, default=_HERE / "html", help="the folder to write into")
    given = parser.parse_args(arguments)
    found = [str(file) for file in candidates()]
    try:
        database = choose(given.database or "", found[0] if found else None)
    except NotReadable as error:
        print(error, file=sys.stderr)
        return 2
    # What the pages show is as private as the database.
    given.to.mkdir(0o700, parents=True, exist_ok=True)
    write_frontend(given.to / FOLDER)
    # As each is a process of its own, two at once take half the time.
    with ThreadPoolExecutor(2) as workers:
        pages = workers.map(lambda n: exported(_HERE / f"{n}.py", database.path), NOTEBOOKS)
        for name, page in zip(NOTEBOOKS, pages, strict=True):
            target = given.to / f"{name}.html"
            target.write_text(offline(page), "utf-8")
            print(target)
    for target in write_charts(database, given.to / "charts"):
        print(target)
    return 0


def exported(notebook: Path, database: Path) -> str:
    """Run a notebook on a database and return the page that marimo makes of it.

    Raises:
        RuntimeError: a cell failed.
    """
    # marimo keeps what cells showed beside the notebook; from an export nobody needs that.
    kept = notebook.parent / "__marimo__" / "session" / f"{notebook.name}.json"
    was_there = kept.exists()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "marimo", "--quiet", "export", "html", str(notebook)),
                *("-o", str(page), "--force", "--no-include-code"),
            ],
            env={**os.environ, VARIABLE: str(database)},
            capture_output=True,
            text=True,
            check=False,
        )
        if not was_there:
            kept.unlink(missing_ok=True)
        if done.returncode:
            raise RuntimeError(f"{notebook.name} failed:\n{done.stdout}{done.stderr}")
        return page.read_text("utf-8")


if __name__ == "__main__":
    sys.exit(main())
