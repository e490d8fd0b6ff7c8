"""Where an option's value comes from: the flag, the environment, then dlt's configuration.

The environment's own names (`PIPEDREAM_…`) are read by the flags themselves; what neither gave is
looked up under `[sources.pipedream]` in dlt's files, or `SOURCES__PIPEDREAM__…`, here.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipedream_source.cli.guard import hide
from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient
    from pipedream_source.resources.session import Session

SECTION = "sources.pipedream"
# A table for the source's function alone; what stands here counts before what all share.
NESTED = f"{SECTION}.pipedream_source"
_CLIENT = ("base_url", "org_id", "retry_budget_s", "request_timeout_s", "ca_bundle")

#: How each option of the source is read from a text; `api_key` is read apart, as a secret.
TYPES: Mapping[str, type] = {
    "base_url": str,
    "org_id": str,
    "source_ids": list,
    "workflow_ids": list,
    "channels": list,
    "since": str,
    "discover": bool,
    "full_window": bool,
    "max_workers": int,
    "retry_budget_s": float,
    "request_timeout_s": float,
    "quiet_poll_s": float,
    "ca_bundle": str,
}


def session_from(flags: Mapping[str, Any]) -> Session:
    """Return a session with these flags, completed from dlt's configuration; nothing is sent.

    Args:
        flags: values by the names of `pipedream_source(...)`; None where no flag was given.

    Raises:
        ConfigurationError: an option is unknown or cannot be used, or there is no key.
    """
    import dlt  # noqa: F401 - its configuration files are read now, so that an error shows here

    from pipedream_source.api.client import PipedreamClient
    from pipedream_source.resources.opening import open_session

    options = _complete(flags)
    ours = {name: options.pop(name) for name in _CLIENT if name in options}
    if workers := options.get("max_workers"):
        ours["max_connections"] = workers
    client: PipedreamClient = PipedreamClient(_api_key(), **ours)
    return open_session(client, **options)


def _complete(flags: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_unknown_options()
    options = dict(flags)
    for name, kind in TYPES.items():
        if options.get(name) is None:
            options[name] = _configured(name, kind)
    return {name: value for name, value in options.items() if value is not None}


def _configured(name: str, kind: type) -> Any:
    import dlt
    from dlt.common.configuration.exceptions import (
        ConfigurationException,
        ConfigValueCannotBeCoercedException,
    )

    value: Any = None
    section = SECTION
    try:
        for section in _sections(name):
            value = dlt.config.get(f"{section}.{name}", kind)
            if value is not None:
                break
    except ConfigurationException as error:
        example = {list: '["a", "b"]', bool: "true", int: "8", float: "2.5"}.get(kind, '"text"')
        got = ""
        if isinstance(error, ConfigValueCannotBeCoercedException):
            got = f", not {printable(repr(error.field_value), 100)}"
        raise ConfigurationError(f"{_place(section, name)} must look like {example}{got}") from None
    if kind is list and value is not None and not all(isinstance(v, str) for v in value):
        got = printable(repr(value), 100)
        raise ConfigurationError(f"{_place(section, name)} must be a list of texts, not {got}")
    return value


def _sections(name: str) -> Sequence[str]:
    """Return where an option may stand, what counts most first; the environment before files."""
    own, shared = (f"{_variable(section)}{name.upper()}" for section in (NESTED, SECTION))
    if shared in os.environ and own not in os.environ:
        return SECTION, NESTED
    return NESTED, SECTION


def _variable(section: str) -> str:
    return section.upper().replace(".", "__") + "__"


def _place(section: str, name: str) -> str:
    return f"{name} in [{section}], or {_variable(section)}{name.upper()},"


def _api_key() -> str | None:
    """Return the key, from PIPEDREAM_API_KEY or dlt's secrets; `ps` would show a flag.

    Raises:
        ConfigurationError: it stands where no key belongs, and nowhere else.
    """
    import dlt

    key = os.environ.get("PIPEDREAM_API_KEY")
    for section in _sections("api_key"):
        key = key or dlt.secrets.get(f"{section}.api_key", str)
    if not key:
        for provider in _providers():
            if not provider.supports_secrets and any(_has_key(t) for _, t in _tables(provider)):
                raise ConfigurationError(
                    f"api_key stands in {_file(provider)}, from which no key is read: move it to "
                    f"[{SECTION}] in .dlt/secrets.toml, or set PIPEDREAM_API_KEY."
                )
    hide(key)
    return key


def _has_key(table: Mapping[str, Any]) -> bool:
    return bool(table.get("api_key"))


def _refuse_unknown_options() -> None:
    """Refuse a misspelt option, which would be ignored in silence otherwise."""
    from pipedream_source.source import pipedream_source

    known = list(inspect.signature(pipedream_source).parameters)
    for place, section, names in _given_options():
        for name in names:
            if name not in known:
                raise ConfigurationError(
                    f"{place}: unknown option {printable(name)!r} in [{section}]. "
                    f"Known: {', '.join(known)}"
                )


def _given_options() -> Iterable[tuple[str, str, list[str]]]:
    """Yield each file of dlt's configuration with a section of ours and the options in it."""
    for section in (SECTION, NESTED):
        start = _variable(section)
        names = [n.removeprefix(start) for n in os.environ if n.startswith(start)]
        yield "environment", section, [n.lower() for n in names if "__" not in n]
    for provider in _providers():
        for section, table in _tables(provider):
            # Tables within a section are dlt's own settings for the source's steps.
            names = [str(n) for n, value in table.items() if not isinstance(value, Mapping)]
            yield provider.name, section, names


def _providers() -> Sequence[Any]:
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    return Container()[PluggableRunContext].providers.providers


def _tables(provider: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield our sections of a file of dlt's configuration."""
    section, _ = provider.get_value("pipedream", dict, None, "sources")
    if isinstance(section, Mapping):
        yield SECTION, section
        nested = section.get(NESTED.rpartition(".")[2])
        if isinstance(nested, Mapping):
            yield NESTED, nested


def _file(provider: Any) -> str:
    return f".dlt/{provider.name}" if provider.name.endswith(".toml") else str(provider.name)


def check_destination(name: str) -> None:
    """Refuse a destination that dlt does not know, before anything is asked or made.

    Raises:
        ConfigurationError: it is unknown, or a package that it needs is missing.
    """
    from dlt.common.destination import Destination

    try:
        Destination.from_reference(name)
    except Exception as error:
        why = printable(str(error), 200)
        raise ConfigurationError(
            f"destination {printable(name)!r}: dlt does not know it, or a package that it needs is "
            f"missing, e.g. `pip install 'dlt[postgres]'`. {why}"
        ) from None
