"""Where an option's value comes from: the flag, the environment, then dlt's configuration.

The environment's own names (`PIPEDREAM_…`) are read by the flags themselves; what neither gave is
looked up under `[sources.pipedream]` in dlt's files, or `SOURCES__PIPEDREAM__…`, here.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipedream_source.cli.guard import hide
from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient
    from pipedream_source.resources.session import Session

SECTION = "sources.pipedream"
_ENVIRONMENT = "SOURCES__PIPEDREAM__"
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
    from pipedream_source.source import open_session

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
    from dlt.common.configuration.exceptions import ConfigurationException

    try:
        value: Any = dlt.config.get(f"{SECTION}.{name}", kind)
    except ConfigurationException:
        example = {list: '["a", "b"]', bool: "true", int: "8", float: "2.5"}.get(kind, '"text"')
        raise ConfigurationError(
            f"{name} in [{SECTION}], or {_ENVIRONMENT}{name.upper()}, must look like {example}"
        ) from None
    if kind is list and value is not None and not all(isinstance(v, str) for v in value):
        raise ConfigurationError(f"{name} in [{SECTION}] must be a list of texts")
    return value


def _api_key() -> str | None:
    """Return the key, from PIPEDREAM_API_KEY or dlt's secrets; `ps` would show a flag."""
    import dlt

    key = os.environ.get("PIPEDREAM_API_KEY") or dlt.secrets.get(f"{SECTION}.api_key", str)
    hide(key)
    return key


def _refuse_unknown_options() -> None:
    """Refuse a misspelt option, which would be ignored in silence otherwise."""
    from pipedream_source.source import pipedream_source

    known = list(inspect.signature(pipedream_source).parameters)
    for place, names in _given_options():
        for name in names:
            if name not in known:
                raise ConfigurationError(
                    f"{place}: unknown option {printable(name)!r} in [{SECTION}]. "
                    f"Known: {', '.join(known)}"
                )


def _given_options() -> Iterable[tuple[str, list[str]]]:
    """Yield each file of dlt's configuration with the options of our section in it."""
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    yield (
        "environment",
        [n[len(_ENVIRONMENT) :].lower() for n in os.environ if _is_option(n)],
    )
    for provider in Container()[PluggableRunContext].providers.providers:
        section, _ = provider.get_value("pipedream", dict, None, "sources")
        if isinstance(section, Mapping):
            # Tables within the section are dlt's own settings for the source's steps.
            names = [str(n) for n, value in section.items() if not isinstance(value, Mapping)]
            yield provider.name, names


def _is_option(variable: str) -> bool:
    name = variable.removeprefix(_ENVIRONMENT)
    return variable.startswith(_ENVIRONMENT) and "__" not in name


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
