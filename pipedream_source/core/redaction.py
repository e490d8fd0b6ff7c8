"""Keep secrets out of what is written or shown: the key in texts, credentials in objects."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MARK = "[redacted]"

_SECRET_NAME = re.compile(
    r"auth|authorization|token|secret|passw|passphrase|credential|api[_-]?key|private[_-]?key"
    r"|access[_-]?key|signing[_-]?key|bearer|cookie",
    re.IGNORECASE,
)
# What names a credential without being one.
_PUBLIC_NAME = "authProvisionId"
_AUTH_NAMES = frozenset({"auth", "authorization"})
_PUBLIC_IN_AUTH = frozenset({"type", _PUBLIC_NAME})
_USERINFO = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")
_ESCAPED_BYTE = re.compile(r"%[0-9A-F]{2}")
_TELLING = 3  # characters of a secret that give nothing away
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Redactor:
    """Replaces a secret, in each form in which it may be echoed, by a mark."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare for some secrets; empty ones are ignored."""
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        # The longest first, so that no form is left half replaced by a shorter one.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str, *, cut: bool = False) -> str:
        """Return the text with every form of the secrets replaced.

        Args:
            text: what may hold a secret.
            cut: the text was cut short, so it may end with the beginning of one.
        """
        for form in self._forms:
            text = text.replace(form, MARK)
        return self._without_cut_form(text) if cut else text

    def _without_cut_form(self, text: str) -> str:
        end = text.rstrip("…")
        for form in self._forms:
            for size in range(len(form) - 1, _TELLING, -1):
                if end.endswith(form[:size]):
                    return end[:-size] + MARK + text[len(end) :]
        return text

    def __repr__(self) -> str:
        """Show no secret."""
        return f"Redactor({len(self._forms)} forms)"


def _forms(secret: str) -> Iterable[str]:
    raw = secret.encode()
    yield secret
    for quoted in (quote(secret, safe=""), quote_plus(secret)):
        yield quoted
        yield _ESCAPED_BYTE.sub(lambda m: m[0].lower(), quoted)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield encoded.decode()
        yield encoded.decode().rstrip("=")


def printable(text: str, limit: int = 200) -> str:
    """Cut a text that the API controls and make its control characters visible.

    Terminal escapes in a name or an error body would otherwise act on the reader's terminal, and
    half a surrogate pair can be written nowhere.
    """
    cut = text[:limit] + ("…" if len(text) > limit else "")
    return _CONTROL.sub(
        lambda m: ascii(m[0])[1:-1] if m[0] > "\xff" else f"\\x{ord(m[0]):02x}", cut
    )


def redact_object(value: Any) -> Any:
    """Return a JSON value with the credentials inside replaced.

    Whatever stands under a name like `auth`, `token` or `password` is replaced leaf by leaf, so
    that the shape stays visible; passwords inside URLs are replaced anywhere. The kind of an
    authentication and the id of a connected account are no secrets and stay.
    """
    if isinstance(value, dict):
        return {k: _redact_named(k, v) for k, v in value.items()}
    if isinstance(value, list):
        return [redact_object(v) for v in value]
    if isinstance(value, str):
        return _USERINFO.sub(MARK + "@", value)
    return value


def _redact_named(name: str, value: Any) -> Any:
    if not _SECRET_NAME.search(name) or (name == _PUBLIC_NAME and isinstance(value, str)):
        return redact_object(value)
    if name.lower() in _AUTH_NAMES and isinstance(value, dict):
        public = {k for k, v in value.items() if k in _PUBLIC_IN_AUTH and isinstance(v, str)}
        return {k: redact_object(v) if k in public else _blank(v) for k, v in value.items()}
    return _blank(value)


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _blank(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_blank(v) for v in value]
    return value if value is None or isinstance(value, bool) else MARK
