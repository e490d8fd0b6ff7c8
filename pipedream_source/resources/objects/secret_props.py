"""The props of sources that their components mark as secret, whatever they are called.

A source's `configured_props` hold values by name; which of them are secret only its component's
`configurable_props` say. So a component is asked before the first source that refers to it is
stored. Components of the registry cannot be read by their id (403, 404): what their props are
called, and what their values look like, is all there is to go by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dlt

from pipedream_source.api.protocol import is_id
from pipedream_source.core.text.redaction import redact_members
from pipedream_source.exceptions import PipedreamError, Unavailable
from pipedream_source.resources.objects.object_lookups import look_up
from pipedream_source.resources.session.session import Session
from pipedream_source.resources.session.source_state import dataset_salt, digest_of

_PROPS = "configured_props"

Objects = Mapping[str, Mapping[str, Any]]


def hide_secret_props(session: Session, sources: Objects) -> Objects:
    """Return the sources without what their components call secret.

    Where a component cannot be asked now, every prop of its sources counts as secret.
    """
    secret = _secret_names(session, sources)
    salt = dataset_salt()
    return {
        key: {**source, _PROPS: redact_members(source[_PROPS], secret[component_id], salt)}
        if _PROPS in source and (component_id := str(source.get("component_id"))) in secret
        else source
        for key, source in sources.items()
    }


def _secret_names(session: Session, sources: Objects) -> dict[str, list[str] | None]:
    """Return the names of each component's secret props; None where they cannot be had now."""
    if not session.client.takes_user_paths:
        return {}
    memory, named = _memory(), referring(sources)
    for key in set(memory).difference(named):
        del memory[key]
    due = [key for key, of in named.items() if memory.get(key, {}).get("of") != of]
    unknown: dict[str, list[str] | None] = {}
    for key, answer in components_of(session, due, keep=True):
        if not isinstance(answer, PipedreamError):
            remember_secrets(key, named[key], answer)
        elif isinstance(answer, Unavailable):
            memory[key] = {"names": [], **memory.get(key, {}), "of": named[key]}
        else:
            unknown[key] = None
    return {key: entry["names"] for key, entry in memory.items()} | unknown


def remember_secrets(component_id: str, of: str, component: Mapping[str, Any]) -> None:
    """Note which props of a component are secret.

    Args:
        component_id: the component.
        of: a digest of the sources that refer to it; another one makes it be asked again.
        component: as it was read.
    """
    props = component.get("configurable_props")
    listed = [prop for prop in props if isinstance(prop, dict)] if isinstance(props, list) else []
    names = [str(prop.get("name")) for prop in listed if prop.get("secret") is True]
    # dlt cannot store half a surrogate pair.
    storable = all(name.isprintable() for name in names)
    _memory()[component_id] = {"of": of, "names": names if storable else None}


def _memory() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = dlt.current.source_state().setdefault("secret_props", {})
    return found


def referring(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the components that sources name, each with a digest of those sources."""
    named: dict[str, list[tuple[str, Any]]] = {}
    for source_id in sorted(sources):
        component_id = sources[source_id].get("component_id")
        if is_id(component_id):
            changed = (source_id, sources[source_id].get("updated_at"))
            named.setdefault(str(component_id), []).append(changed)
    return {component_id: digest_of(of) for component_id, of in named.items()}


def components_of(
    session: Session, ids: Sequence[str], *, keep: bool = False
) -> Iterator[tuple[str, Mapping[str, Any] | PipedreamError]]:
    """Yield components by their ids, each with the error that came instead.

    Args:
        session: asks for each only once in an extract.
        ids: of the components.
        keep: another resource of this extract will want them too.
    """
    kept = session.components
    kept.update(look_up(session, session.client.component, [i for i in ids if i not in kept]))
    for component_id in ids:
        yield component_id, kept[component_id] if keep else kept.pop(component_id)
