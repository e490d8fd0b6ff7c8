"""What dlt keeps for the source and its resources, of the extract at work and between loads."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dlt
from dlt.common.storages.load_package import load_package_state

from pipedream_source.settings import MOST_SEEN_LOADS


def load_id() -> str:
    """Return the id of the load package that is being extracted."""
    found: str = load_package_state()["load_id"]
    return found


def known_workflows() -> dict[str, Any]:
    """Return the workflows found so far: how, name, first seen."""
    found: dict[str, Any] = dlt.current.source_state().setdefault("workflows", {})
    return found


def known_streams() -> list[str]:
    """Return the keys of the streams of all resources that were polled so far."""
    resources = dlt.current.source_state().get("resources", {})
    return [key for state in resources.values() for key in state.get("streams", {})]


def remember_load() -> None:
    """Note in the state the load that moves it, among those whose states it includes."""
    state, now = dlt.current.source_state(), load_id()
    state["last_load_id"] = now
    seen = [known for known in state.get("seen", ()) if known != now]
    state["seen"] = [*seen, now][-MOST_SEEN_LOADS:]


def remember_objects(lists: str) -> None:
    """Note that this load read all objects, and the digest of their lists."""
    dlt.current.source_state()["objects"] = {"lists": lists, "at": int(time.time())}


def dataset_salt() -> str:
    """Return the salt of this dataset's redaction marks, made once and kept in its state.

    It is restored with the state: another salt would open a new version of every row of history.
    """
    state = dlt.current.source_state()
    if "salt" not in state:
        state["salt"] = secrets.token_hex(16)
    salt: str = state["salt"]
    return salt


def digest_of(value: Any) -> str:
    """Return a short text that tells a value from any other, for the state."""
    return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def is_changed(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a resource's rows differ from what it last yielded, and remember them."""
    digest = digest_of(rows)
    state = dlt.current.resource_state()
    if state.get("digest") == digest:
        return False
    state["digest"] = digest
    return True


def note_once(warn: Callable[[str], None], text: str) -> None:
    """Warn of what a resource cannot read, unless its last load said the same."""
    state = dlt.current.resource_state()
    if state.get("note") != text:
        state["note"] = text
        warn(text)


def forget_note() -> None:
    """Note that the resource could be read: the next failure is news."""
    dlt.current.resource_state().pop("note", None)
