"""What dlt keeps for the whole source: of the extract at work, and from load to load."""

from __future__ import annotations

from typing import Any

import dlt
from dlt.common.storages.load_package import load_package_state


def load_id() -> str:
    """Return the id of the load package that is being extracted."""
    found: str = load_package_state()["load_id"]
    return found


def known_workflows() -> dict[str, Any]:
    """Return the workflows found so far: how, name, first seen."""
    found: dict[str, Any] = dlt.current.source_state().setdefault("workflows", {})
    return found


def remember_load(lists: str) -> None:
    """Note in the state the load that moves it, and the digest of the lists that it read."""
    dlt.current.source_state().update(last_load_id=load_id(), lists=lists)
