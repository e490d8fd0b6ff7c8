"""Reads a file with DuckDB's command, whose output is asked for as JSON."""

import json
import subprocess
import sys
from pathlib import Path

from answers import PATH, SQL, tell

DUCKDB = str(Path(sys.executable).with_name("duckdb"))


def rows(query):
    words = [DUCKDB, "-readonly", "-json", "-cmd", SQL.zone, PATH, query]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [tuple(row.values()) for row in json.loads(done.stdout)]


tell(rows, payloads_instead=lambda: dict(rows(SQL.payloads_as_text)))
