"""What the sandbox emitted, as frames: the figures of the marts are computed anew from these.

Read from the control plane's dumps, one at each load, and so from none of the loaded tables.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

import pandas as pd

from pipedream_source.sandbox import Sandbox

KINDS = {("source", False): "source_event", ("source", True): "source_event"}
KINDS |= {("workflow", False): "workflow_emit", ("workflow", True): "workflow_error"}


@dataclass
class Truth:
    """The states of a sandbox at the moments when it was loaded from."""

    dumps: list[dict[str, Any]] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)

    def note(self, sandbox: Sandbox) -> None:
        """Note the state of a sandbox, which is about to be loaded from."""
        self.dumps.append(sandbox.dump())

    def note_asked(self, sandbox: Sandbox) -> None:
        """Note which streams were asked for so far; nobody can tell of others."""
        self.asked |= {stream for call in sandbox.journal() if (stream := _stream_of(call))}

    @property
    def now(self) -> pd.Timestamp:
        """The sandbox's time at the last load."""
        return pd.Timestamp(self.dumps[-1]["clock"]["now_ms"], unit="ms", tz="UTC")

    def emitters(self) -> pd.DataFrame:
        """Return the emitters at the last load."""
        rows = [
            {"emitter_id": e["id"], "name": e["name"], "record": e["record"]}
            for e in self.dumps[-1]["workspace"]["emitters"]
        ]
        return pd.DataFrame(rows)

    def events(self) -> pd.DataFrame:
        """Return every event that a window showed at some load, with the payload's bytes."""
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        for number, dump in enumerate(self.dumps):
            for row in _shown(dump):
                if (row["emitter_id"], row["channel"]) not in self.asked:
                    continue
                found.setdefault(
                    (row["emitter_id"], row["channel"], row["event_id"]), row | {"load": number}
                )
        events = pd.DataFrame(list(found.values()))
        events["emitted_at"] = pd.to_datetime(events["ms"], unit="ms", utc=True)
        return events

    def emitted(self) -> dict[tuple[str, str], int]:
        """Return how many events each stream emitted in all."""
        return {
            (e["id"], channel): stream[0]
            for e in self.dumps[-1]["workspace"]["emitters"]
            for channel, stream in e["streams"].items()
        }


def _stream_of(call: dict[str, Any]) -> tuple[str, str] | None:
    found = re.fullmatch(r"/v1/(sources|workflows)/(\w+)/(?:(.+)/)?event_summaries", call["path"])
    if found is None:
        return None
    query = dict(parse_qsl(call["query"]))
    return found[2], unquote(found[3] or query.get("event_name", ""))


def _shown(dump: dict[str, Any]) -> Iterator[dict[str, Any]]:
    texts = [base64.b64decode(text) for text in dump["workspace"]["events"]]
    for emitter in dump["workspace"]["emitters"]:
        kind = "workflow" if emitter["id"].startswith("p_") else "source"
        for channel, (_, _, rows) in emitter["streams"].items():
            for _, event_id, _, number, _ in rows:
                yield {
                    "emitter_id": emitter["id"],
                    "channel": channel,
                    "event_id": event_id,
                    "ms": int(event_id.split("-")[0]),
                    "payload": texts[number],
                    "event_kind": KINDS[kind, channel == "$errors"],
                    "is_error": channel == "$errors",
                }


def fingerprint_parts(payload: bytes) -> tuple[str, str, str]:
    """Return what makes an error the same error: code, message without what varies, top frame."""
    error = json.loads(payload)["error"]
    words = re.sub(r"(?<!code )\b[\w-]*\d[\w-]*", "<n>", error["msg"], flags=re.ASCII)
    frame = next(
        line.strip() for line in error["stack"].splitlines() if line.strip().startswith("at ")
    )
    return error["code"], " ".join(words.split()), re.sub(r"(:\d+)+", "", frame).removeprefix("at ")


def fields_of(payload: bytes) -> dict[str, set[str]]:
    """Return the types at each path of a payload, elements of arrays under one `[*]`."""
    found: dict[str, set[str]] = {}
    _walk(json.loads(payload, parse_int=float), "$", found)
    return {path: kinds - {"null"} or {"null"} for path, kinds in found.items()}


def _walk(value: Any, path: str, found: dict[str, set[str]]) -> None:
    found.setdefault(path, set()).add(kind_of(value))
    if isinstance(value, dict):
        for name, inner in value.items():
            plain = re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", name)
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            _walk(inner, f"{path}.{name}" if plain else f'{path}."{quoted}"', found)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, f"{path}[*]", found)


def kind_of(value: Any) -> str:
    """Return the JSON type of a value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {"str": "string", "list": "array", "dict": "object"}[type(value).__name__]
