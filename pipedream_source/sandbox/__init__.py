"""A stateful stand-in of the Pipedream REST API, for tests and trials; uses no other floor."""

from __future__ import annotations

from pipedream_source.sandbox.server import ControlError, Sandbox, serve

__all__ = ["ControlError", "Sandbox", "serve"]
