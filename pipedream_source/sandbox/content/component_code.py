"""Components: code, what is read from it, and the ones that the workspace has saved.

A component's text is kept once, however many components have it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import msgspec

from pipedream_source.sandbox.content.javascript import Opaque, exported_object

# What published components name their polling interval by.
_CONSTANTS = {"DEFAULT_POLLING_SOURCE_TIMER_INTERVAL": 900}
TIMER = "$.interface.timer"
HTTP = "$.interface.http"


class Text(msgspec.Struct, frozen=True):
    """A component's code, and what its exported object says.

    Attributes:
        code: The code as it was given.
        code_hash: Its SHA-256 in hexadecimal.
        key: What the component is found by beside its id.
        name: What people call it.
        version: Its version.
        props: Its `configurable_props`.
    """

    code: str
    code_hash: str
    key: str | None
    name: str | None
    version: str | None
    props: tuple[dict[str, Any], ...]

    @property
    def app(self) -> str | None:
        """The slug of the first app among the props."""
        return next((prop.get("app") for prop in self.props if prop["type"] == "app"), None)

    def prop(self, type_: str) -> dict[str, Any] | None:
        """Return the first prop of a type."""
        return next((prop for prop in self.props if prop["type"] == type_), None)


@lru_cache(maxsize=256)
def read_code(code: str) -> Text:
    """Hash a component's code and read `key`, `name`, `version` and `props` from it."""
    members = exported_object(code) or {}
    key, name, version = (_string_or_none(members.get(n)) for n in ("key", "name", "version"))
    digest = hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest()
    props = members.get("props")
    read = [_prop(*item) for item in props.items()] if isinstance(props, dict) else []
    return Text(code, digest, key, name, version, tuple(p for p in read if p))


def _string_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _prop(name: str, value: Any) -> dict[str, Any] | None:
    """Return one of `configurable_props`; what is no literal is left out."""
    if isinstance(value, str):
        return {"name": name, "type": value}
    if isinstance(value, Opaque):
        return {"name": name, "type": "app", "app": value.name or name}
    if not isinstance(value, dict):
        return None
    plain = {field: _plain(v) for field, v in value.items()}
    known = {field: v for field, v in plain.items() if not isinstance(v, Opaque)}
    type_ = known.pop("type", "string")
    return {"name": name, "type": type_ if isinstance(type_, str) else "string", **known}


def _plain(value: Any) -> Any:
    """Return a value without opaque parts, or an opaque one."""
    if isinstance(value, Opaque):
        return _CONSTANTS.get(value.name, value)
    if isinstance(value, dict):
        parts = {name: _plain(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if not isinstance(part, Opaque)}
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return Opaque() if any(isinstance(item, Opaque) for item in items) else items
    return value


class Component(msgspec.Struct):
    """A saved component.

    Attributes:
        id: `sc_…`.
        text: Its code.
        kind: The payload kind of what its sources emit.
        created_s: When it was saved, in Unix seconds.
        updated_s: When it was changed last.
        url: Where its code is said to be.
        owner_id: The user or workspace that saved it.
    """

    id: str
    text: Text
    kind: str
    created_s: int
    updated_s: int
    url: str | None
    owner_id: str

    def record(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        text = self.text
        shown: dict[str, Any] = {"id": self.id, "code": text.code, "code_hash": text.code_hash}
        shown |= {"key": text.key, "name": text.name, "version": text.version}
        shown |= {"configurable_props": list(text.props)}
        return shown | {"created_at": self.created_s, "updated_at": self.updated_s}


class Components:
    """The saved components by id, oldest first."""

    def __init__(self) -> None:
        self.by_id: dict[str, Component] = {}

    def add(self, component: Component) -> Component:
        """Keep a component."""
        self.by_id[component.id] = component
        return component

    def find(self, key_or_id: str) -> Component | None:
        """Return the component of an id, or the newest one with a key."""
        if key_or_id in self.by_id:
            return self.by_id[key_or_id]
        newest_first = reversed(self.by_id.values())
        return next((c for c in newest_first if c.text.key == key_or_id), None)
