"""Where an option's value comes from: the flag, the environment, then dlt's configuration.

The environment's own names (`PIPEDREAM_…`) are read by the flags themselves; what neither gave is
looked up under `[sources.pipedream]` in dlt's files, or `SOURCES__PIPEDREAM__…`, here.
"""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipedream_source.cli.command.errors import hide
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient
    from pipedream_source.resources.session.session import Session

SECTION = "sources.pipedream"
# A table for the source's function alone; what stands here counts before what all share.
NESTED = f"{SECTION}.pipedream_source"
CLIENT = ("base_url", "org_id", "retry_budget_s", "request_timeout_s", "ca_bundle")

SECRETS = ("api_key", "client_id", "client_secret")
# Of variables that dlt reads; others can hold nothing of ours.
_PREFIXES = ("SOURCES__", "PROVIDERS__")

#: How each option of the source is read from a text; secrets are read apart.
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
    from pipedream_source.resources.session.arguments import open_session

    options = _complete(flags, TYPES)
    ours = {name: options.pop(name) for name in CLIENT if name in options}
    if workers := options.get("max_workers"):
        ours["max_connections"] = workers
    return open_session(client_from(ours), **options)


def client_from(settings: Mapping[str, Any]) -> PipedreamClient:
    """Return a client with these settings and the credentials that are configured.

    Args:
        settings: as `client_settings` returns them.

    Raises:
        ConfigurationError: a setting cannot be used, or there is no key.
    """
    from pipedream_source.api.client import PipedreamClient

    return PipedreamClient(**credentials(), **settings)


def client_settings(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return a client's settings, completed from dlt's configuration; no key is needed.

    Args:
        flags: values by the names in `CLIENT`; None where no flag was given.

    Raises:
        ConfigurationError: an option is unknown or cannot be read.
    """
    return _complete(flags, {name: TYPES[name] for name in CLIENT})


def _complete(flags: Mapping[str, Any], types: Mapping[str, type]) -> dict[str, Any]:
    options = dict(flags)
    if is_configured():
        _refuse_unknown_options()
        for name, kind in types.items():
            if options.get(name) is None:
                options[name] = _configured(name, kind)
    return {name: value for name, value in options.items() if value is not None}


def is_configured() -> bool:
    """Tell whether dlt's configuration may say anything of us; only then it is worth an import."""
    if any(name.startswith(_PREFIXES) for name in os.environ):
        return True
    return any(_concerns_us(path) for folder in _folders() for path in folder.glob("*.toml"))


def is_first_run() -> bool:
    """Tell whether neither the environment nor a file of dlt's says anything of us."""
    given = ("PIPEDREAM_API_KEY", "PIPEDREAM_CLIENT_ID")
    return not any(os.environ.get(name) for name in given) and not is_configured()


def project_folder() -> Path:
    """Return where dlt looks for its files first: in the folder where the command runs."""
    name = os.environ.get("DLT_CONFIG_FOLDER", ".dlt")
    return Path(os.environ.get("DLT_PROJECT_DIR", "."), name)


def _folders() -> Iterator[Path]:
    """Yield where dlt looks for its files: the project's folder, then those of the user."""
    yield project_folder()
    name = os.environ.get("DLT_CONFIG_FOLDER", ".dlt")
    yield from (Path("~").expanduser() / name, Path("/var/dlt"), Path(tempfile.gettempdir(), "dlt"))
    if "XDG_DATA_HOME" in os.environ:
        yield Path(os.environ["XDG_DATA_HOME"], "dlt")


def _concerns_us(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # A provider is a vault, which may hold anything; a table may be written in pieces.
    return "pipedream" in text or "sources" in text or "providers" in text


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


def credentials() -> dict[str, Any]:
    """Return the key, or else the OAuth client's id and secret; `ps` would show flags.

    PIPEDREAM_API_KEY goes first, then PIPEDREAM_CLIENT_ID and PIPEDREAM_CLIENT_SECRET, then the
    same in dlt's secrets.

    Raises:
        ConfigurationError: they stand where no secret belongs, and nowhere else.
    """
    given = {name: os.environ.get(f"PIPEDREAM_{name.upper()}") for name in SECRETS}
    found = {"api_key": given["api_key"]} if given["api_key"] else _with_stored(given)
    for secret in found.values():
        hide(secret)
    if not any(found.values()):
        _refuse_misplaced()
    return {name: value for name, value in found.items() if value}


def _with_stored(given: Mapping[str, str | None]) -> dict[str, str | None]:
    """Complete an OAuth client from dlt's secrets, or take a key from there."""
    stored = {name: _stored(name) for name in SECRETS} if is_configured() else dict(given)
    if stored["api_key"] and not any(given.values()):
        return {"api_key": stored["api_key"]}
    return {name: given[name] or stored[name] for name in SECRETS if name != "api_key"}


def _stored(name: str) -> str | None:
    import dlt

    value: object = None
    for section in _sections(name):
        # Asked for as a `str`, it would be no secret to dlt, which then writes it to its trace.
        value = value or dlt.secrets.get(f"{section}.{name}")
    return None if value is None else str(value)


def _refuse_misplaced() -> None:
    """Say where a secret stands from which none is read."""
    for provider in _providers() if is_configured() else ():
        for name in SECRETS:
            tables = [table for _, table in _tables(provider)]
            if not provider.supports_secrets and any(table.get(name) for table in tables):
                raise ConfigurationError(
                    f"{name} stands in {_file(provider)}, from which no key is read: move it to "
                    f"[{SECTION}] in .dlt/secrets.toml, or set PIPEDREAM_{name.upper()}."
                )


def _refuse_unknown_options() -> None:
    """Refuse a misspelt option, which would be ignored in silence otherwise."""
    from pipedream_source.source import pipedream_source

    known = [*inspect.signature(pipedream_source).parameters]
    known += [name for name in SECRETS if name not in known]
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
    if name == "duckdb":
        return
    from dlt.common.destination import Destination

    try:
        Destination.from_reference(name)
    except Exception as error:
        why = printable(str(error), 200)
        raise ConfigurationError(
            f"destination {printable(name)!r}: dlt does not know it, or a package that it needs is "
            f"missing, e.g. `pip install 'dlt[postgres]'`. {why}"
        ) from None
