"""What one would write in an afternoon: pandas_script.py BASE_URL DATABASE.

requests on eight threads, a pandas frame with each payload as JSON text, a plain insert. It keeps
no state, cannot merge, and notices nothing that is missing.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

import duckdb
import pandas as pd
import requests

base_url, database = sys.argv[1:]
threads = local()


def get(path: str, **params: Any) -> dict[str, Any]:
    """Ask the API over the thread's own session."""
    if not hasattr(threads, "session"):
        threads.session = requests.Session()
        threads.session.headers["Authorization"] = "Bearer bench"
    response = threads.session.get(f"{base_url}/{path}", params=params, timeout=60)
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


def sources() -> list[str]:
    """List the ids of all sources."""
    found: list[str] = []
    after = None
    while page := get("users/me/sources", limit=100, after=after)["data"]:
        found += [source["id"] for source in page]
        after = page[-1]["id"]
    return found


def events(source: str) -> list[dict[str, Any]]:
    """Read the window of a source."""
    page = get(f"sources/{source}/event_summaries", limit=100, expand="event")["data"]
    return [
        {
            "emitter_id": source,
            "id": row["id"],
            "indexed_at": row["indexed_at_ms"],
            "event": json.dumps(row["event"], ensure_ascii=False, separators=(",", ":")),
            "metadata": json.dumps(row["metadata"]),
        }
        for row in page
    ]


with ThreadPoolExecutor(8) as pool:
    frame = pd.DataFrame([row for rows in pool.map(events, sources()) for row in rows])
frame["indexed_at"] = pd.to_datetime(frame["indexed_at"], unit="ms", utc=True)
with duckdb.connect(database) as connection:
    connection.execute("CREATE SCHEMA pipedream")
    connection.execute(
        "CREATE TABLE pipedream.source_event_summaries AS "
        "SELECT * REPLACE (event::JSON AS event, metadata::JSON AS metadata) FROM frame"
    )
