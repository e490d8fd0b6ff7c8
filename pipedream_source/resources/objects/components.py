"""The components that sources refer to, with their code.

The API cannot list components. Each that a source names is read once, and again when a source
that refers to it changed or after a day. Only those saved or published in the account can be
read by their id ("Get a component"): what answers 403 or 404 is remembered and no failure.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import dlt

from pipedream_source.exceptions import GaveUp, PipedreamError, Unavailable
from pipedream_source.resources.arrow.items import items_of
from pipedream_source.resources.objects.object_rows import row_of
from pipedream_source.resources.objects.secret_props import (
    components_of,
    referring,
    remember_secrets,
)
from pipedream_source.resources.schema.tables import COMPONENT_CODE, COMPONENTS, Table
from pipedream_source.resources.session.session import Session
from pipedream_source.resources.session.source_state import (
    dataset_salt,
    digest_of,
    forget_note,
    note_once,
)

FRESH_S: Final = 24 * 60 * 60

# What is known of a component: when it was read (Unix seconds), for which state of the sources
# that refer to it, and the digest of its row, if it has one.
_Memory = dict[str, dict[str, Any]]


def component_items(session: Session) -> Iterator[Any]:
    """Yield the components that are new or changed, and their code, each text once."""
    inventory = session.inventory()
    state = dlt.current.resource_state()
    is_first = "components" not in state
    known: _Memory = {**state.get("components", {})}
    found = _Found(session)
    if not session.client.takes_user_paths:
        note_once(session.tally.warn, "Components are not read: that takes a user API key")
    elif session.selection.discover and inventory.is_whole("sources"):
        named = referring(inventory.sources)
        for key in set(known).difference(named):
            del known[key]
        found.read(known, named)
    if found.code or is_first:
        yield _item(session, COMPONENT_CODE, list(found.code.values()))
    if found.rows or is_first:
        yield _item(session, COMPONENTS, found.rows)
    # Only now, so that a run that is cut short reads again what it did not hand on.
    state["components"] = known | found.memory


def _item(session: Session, table: Table, rows: list[dict[str, Any]]) -> Any:
    if rows:
        session.tally.add_rows(table.name, len(rows))
    return items_of(table, rows, session.load_id)


class _Found:
    """What one load reads: new rows, their code by hash, and what to remember."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._salt = dataset_salt()
        self.rows: list[dict[str, Any]] = []
        self.code: dict[str, dict[str, Any]] = {}
        self.memory: _Memory = {}

    def read(self, known: _Memory, named: Mapping[str, str]) -> None:
        """Ask for the components that are due."""
        now = int(time.time())
        due = [key for key, of in named.items() if _is_due(known.get(key), of, now)]
        for key, answer in components_of(self._session, due):
            entry = {"at": now, "of": named[key]}
            before = known.get(key, {}).get("row")
            if not isinstance(answer, PipedreamError):
                remember_secrets(key, named[key], answer)
                self.memory[key] = {**entry, "row": self._add(key, answer, before)}
            elif isinstance(answer, Unavailable):
                self.memory[key] = {**entry, "row": before}
            else:
                self._tell(key, answer)
        forget_note()

    def _add(self, key: str, component: Mapping[str, Any], before: str | None) -> str:
        """Keep a component whose row is new or changed; return the digest of its row."""
        rest, code = {**component, "id": key}, component.get("code")
        if isinstance(code, str):
            del rest["code"]
            rest["code_hash"] = component.get("code_hash") or _hash(code)
        row = row_of(COMPONENTS, rest, self._salt)
        digest = digest_of(row)
        if digest != before:
            self.rows.append(row)
            if isinstance(code, str) and row["code_hash"]:
                kept = {"code_hash": row["code_hash"], "code": code}
                self.code[row["code_hash"]] = row_of(COMPONENT_CODE, kept, self._salt)
        return digest

    def _tell(self, key: str, error: PipedreamError) -> None:
        """Report an error that says nothing of the component itself."""
        if not isinstance(error, GaveUp):
            self._session.tally.note_error(f"{COMPONENTS.name}/{key}", error)


def _hash(code: str) -> str:
    """Make up the hash that the API left out, as its own looks: SHA-256 in hex."""
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


def _is_due(entry: Mapping[str, Any] | None, of: str, now: int) -> bool:
    """Tell whether a component is unknown, may have changed, or was read long ago."""
    return entry is None or entry["of"] != of or not 0 <= now - entry["at"] < FRESH_S
