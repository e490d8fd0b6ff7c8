"""A stateful local stand-in of the Pipedream REST API, for tests and for trying things out."""

from __future__ import annotations

from pipedream_source.sandbox.server import ControlError, Sandbox, serve

__all__ = ["ControlError", "Sandbox", "serve"]
