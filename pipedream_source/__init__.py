"""Every event, emit and error of a Pipedream workspace in your own database, with proof of loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipedream_source.settings import VERSION as __version__

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient
    from pipedream_source.certificate import coverage
    from pipedream_source.core.text.payload_text import PayloadSearch, payload_text
    from pipedream_source.exceptions import (
        ApiError,
        ChangeUncertain,
        ConfigurationError,
        DestinationUnavailable,
        PipedreamError,
    )
    from pipedream_source.resources.schema.views import view_query
    from pipedream_source.running.description.describe import describe
    from pipedream_source.running.duckdb.dlt_destination import duckdb_file
    from pipedream_source.running.packages.load_pending import load_pending
    from pipedream_source.running.packages.staging import exclusive_load
    from pipedream_source.source import pipedream_source


__all__ = [
    "ApiError",
    "ChangeUncertain",
    "ConfigurationError",
    "DestinationUnavailable",
    "PayloadSearch",
    "PipedreamClient",
    "PipedreamError",
    "__version__",
    "coverage",
    "describe",
    "duckdb_file",
    "exclusive_load",
    "load_pending",
    "payload_text",
    "pipedream_source",
    "view_query",
]

_ERRORS = (
    "ApiError",
    "ChangeUncertain",
    "ConfigurationError",
    "DestinationUnavailable",
    "PipedreamError",
)
_HOMES = {
    "PayloadSearch": "pipedream_source.core.text.payload_text",
    "PipedreamClient": "pipedream_source.api.client",
    "coverage": "pipedream_source.certificate",
    "duckdb_file": "pipedream_source.running.duckdb.dlt_destination",
    "describe": "pipedream_source.running.description.describe",
    "exclusive_load": "pipedream_source.running.packages.staging",
    "load_pending": "pipedream_source.running.packages.load_pending",
    "payload_text": "pipedream_source.core.text.payload_text",
    "pipedream_source": "pipedream_source.source",
    "view_query": "pipedream_source.resources.schema.views",
    **dict.fromkeys(_ERRORS, "pipedream_source.exceptions"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `--help` need not wait for dlt."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
