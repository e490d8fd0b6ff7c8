"""What a verb reads from a file or from standard input: settings of a source, code, a body."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError

STDIN = "-"


def read_text(name: str, flag: str) -> str:
    """Return a file's text; `-` is standard input.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        why = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    raise ConfigurationError(f"{flag} {printable(name, 500)} cannot be read: {why}")


def read_object(name: str, flag: str) -> dict[str, Any]:
    """Return the object in a JSON or TOML file; messages quote nothing of it.

    Args:
        name: the file; one whose name ends in `.toml` is TOML, any other is JSON, or else TOML.
        flag: what named it, for messages.

    Raises:
        ConfigurationError: it cannot be read, or holds no object.
    """
    text = read_text(name, flag)
    if not text.strip():
        raise ConfigurationError(f"{flag} {printable(name, 500)} is empty: {{}} is no settings")
    value = None if name.endswith(".toml") else _json(text)
    if value is None:
        value = _toml(text)
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{flag} {printable(name, 500)} must hold a JSON object or TOML, such as "
            '{"url": "https://example.com/feed"}'
        )
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
