"""What is told of a failure: the flag that was meant, and one shape of JSON for every end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FLAGS = {
    "source_ids": "--source-id",
    "workflow_ids": "--workflow-id",
    "channels": "--channel",
    "since": "--since",
    "org_id": "--org-id",
    "base_url": "--base-url",
    "max_workers": "--max-workers",
    "retry_budget_s": "--retry-budget",
    "request_timeout_s": "--request-timeout",
    "ca_bundle": "--ca-bundle",
    "component_id": "--component-id",
    "component_code": "--code",
    "component_url": "--url",
    "configured_props": "--props",
    "emitter_id": "--emitter",
    "listener_id": "--listener",
    "event_name": "--event-name",
    "start_id": "--start-id",
    "end_id": "--end-id",
}


def with_flags(text: str) -> str:
    """Add to the first mention of each argument the flag that gives it.

    A message about a file's section is left alone, as is one that names the flag. A name within a
    path or a quoted value is no mention.
    """
    if "[sources." in text:
        return text
    for name, flag in FLAGS.items():
        # `since` is a word too: only as an argument's name it has a colon.
        word = rf"{name}(?=:)" if name == "since" else rf"`?{name}\b`?(?!/|\.\w)"
        mention = rf"(?<![^\s(]){word}"
        if flag not in text:
            text = re.sub(mention, rf"\g<0> ({flag})", text, count=1)
    return text


def failure(
    verb: str | None, text: str, code: int, arguments: Mapping[str, object]
) -> dict[str, Any]:
    """Return the one JSON object for a verb that ended before it had a result.

    Args:
        verb: which one; `load` has the shape of its report.
        text: what went wrong.
        code: the exit code.
        arguments: what the verb was given, as far as that is known.
    """
    ended = {"exit_code": code, "error": text}
    if verb != "load":
        return ended
    from pipedream_source.running.report import LoadReport

    return LoadReport(datetime.now(UTC)).as_dict() | ended | place(arguments)


def place(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return where a load was to write; None for what is not known."""
    destination, database = arguments.get("destination"), arguments.get("database")
    where = {"destination": destination, "dataset": arguments.get("dataset")}
    if destination not in (None, "duckdb"):
        return where
    return where | {"database": str(Path(str(database)).resolve()) if database else None}
