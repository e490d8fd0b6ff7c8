"""Keep secrets out of what is written or shown: the key in texts, credentials in objects."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

MARK = "[redacted]"

# An author is no authorization.
_TELLTALES = (
    r"(?:auth(?!or(?!i[sz]))|token|secret|passw|passphrase|credential|api[_-]?key"
    r"|private[_-]?key|access[_-]?key|signing[_-]?key|bearer|cookie)"
)
_SECRET_NAME = re.compile(_TELLTALES, re.IGNORECASE)
# Too short to be looked for within other words.
_SECRET_WORDS = frozenset(
    {
        *("pwd", "pass", "pin", "otp", "pat", "jwt", "dsn", "hmac", "sig", "signature", "session"),
        *("passcode", "keys", "sas"),
    }
)
_SECRET_PAIRS = frozenset({("connection", "string"), ("access", "code")})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# What is a credential whatever its name: tokens of well-known makes, headers, hooks, keys.
_SECRET_VALUE = re.compile(
    r"\b(?:sk|rk|pk)[-_][A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}"
    r"|\bxox[a-z]-[A-Za-z0-9-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
    r"|\beyJ[\w-]+\.eyJ[\w-]+(?:\.[\w-]*)?|(?<=\bBearer )[^\s'\"]{8,}|(?<=\bBasic )[\w+/=-]{8,}"
    r"|(?<=hooks\.slack\.com/services/)[\w/]+|(?<=discord\.com/api/webhooks/)[\w/-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)
# What names a credential without being one.
_PUBLIC_NAME = "authProvisionId"
_AUTH_NAMES = frozenset({"auth", "authorization"})
_PUBLIC_IN_AUTH = frozenset({"type", _PUBLIC_NAME})
_USERINFO = re.compile(r"(?<=://)[^/?#\s]+(?=@)")
_SECRET_PARAM = re.compile(
    rf"([?&#](?:sig|key|code|[^?&=#\s]{{0,64}}?{_TELLTALES}[^?&=#\s]{{0,64}})=)([^&#\s]+)",
    re.IGNORECASE,
)
# A form's field that is the first: `[?&#]` stands before the others.
_SECRET_FIELD = re.compile(
    rf"\A(\s*[^?&=#\s]{{0,64}}?{_TELLTALES}[^?&=#\s]{{0,64}}=)([^&#\s]+)", re.IGNORECASE
)
# A member whose value is a text, between quotes that are escaped alike, or a number.
_MEMBER = re.compile(
    r"""(?P<before>(?P<quote>\\*")(?P<name>[^"\\]{1,64})(?P=quote)\s*:\s*(?P=quote)?)"""
    r"""(?P<value>(?<=")(?:(?!(?P=quote))(?:\\.|.))*|(?<!")-?[0-9][^\s,}\]]*)""",
    re.DOTALL,
)
_OPENING = re.compile(r"""[{\[]|\A\s*\ufeff?\s*(?=")""")
_decode_json = json.JSONDecoder().raw_decode
_MAX_TRIES = 20  # brackets that begin no JSON, before the rest is taken for a text
_MARKED = re.compile(re.escape(MARK) + r"(-[0-9a-f]{8})?").fullmatch
_MAX_DEPTH = 100
_ESCAPED_BYTE = re.compile(r"%[0-9A-F]{2}")
_LONG = 12  # characters, as real secrets have
_TELLING = 3  # characters of a secret that give nothing away
_Mark = Callable[[Any], str]
# What acts on a terminal: control characters, other line breaks, and marks that turn the direction
# of writing, so that a name reads as another.
ACTING = r"\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(rf"[\x00-\x08\x0b-\x1f{ACTING}]")


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
    # Of a short one, so little is sure to show that other texts hold it too.
    for encode in (base64.b64encode, base64.urlsafe_b64encode) if len(raw) >= _LONG else ():
        yield from (_amid_base64(raw, before, encode) for before in range(3))


def _amid_base64(raw: bytes, before: int, encode: Callable[[bytes], bytes]) -> str:
    """Return what is sure to show of a secret when a longer text around it is encoded.

    Four characters hold three bytes, so it depends on how many `before` it stand in its group.
    """
    text = encode(bytes(before) + raw).decode()
    return text[before + 1 if before else 0 : (before + len(raw)) * 8 // 6]


def printable(text: str, limit: int = 200) -> str:
    """Cut a text that the API controls and make its control characters visible.

    Terminal escapes in a name or an error body would otherwise act on the reader's terminal, marks
    of direction would show one name as another, and half a surrogate pair can be written nowhere.
    """
    cut = text[:limit] + ("…" if len(text) > limit else "")
    return _CONTROL.sub(
        lambda m: ascii(m[0])[1:-1] if m[0] > "\xff" else f"\\x{ord(m[0]):02x}", cut
    )


def redact_object(value: Any, salt: str | None = None) -> Any:
    """Return a JSON value with the credentials inside replaced.

    Whatever stands under a name like `auth`, `token` or `password` is replaced leaf by leaf, so
    that the shape stays visible, and so is the `value` beside such a `name` (a header), or what a
    prop that is marked `secret` holds. Within
    any text the user and such parameters of a URL, JSON members of such names and tokens of
    well-known makes are replaced. The kind of an authentication and the id of a connected account
    are no secrets and stay, and so does the code of a component, which has a hash.

    Args:
        value: what was decoded from JSON. What is nested deeper than credentials ever are is
            replaced as a whole.
        salt: with one, a short hash of the secret follows the mark, so that a change shows;
            without, all secrets look alike. What is marked already stays as it is.
    """
    return _redacted(value, _salted(salt.encode()) if salt else _plain, _MAX_DEPTH)


def redact_members(value: Any, names: Collection[str] | None, salt: str | None = None) -> Any:
    """Return a JSON object with what stands under some names replaced leaf by leaf.

    Args:
        value: the object; anything else is returned as it is.
        names: of the members that are secret; None for all.
        salt: of the marks, as for `redact_object`.
    """
    if not isinstance(value, dict):
        return value
    mark = _salted(salt.encode()) if salt else _plain
    return {
        k: _blank(v, mark, _MAX_DEPTH) if names is None or k in names else v
        for k, v in value.items()
    }


def _plain(_: Any) -> str:
    return MARK


def _salted(salt: bytes) -> _Mark:
    def mark(secret: Any) -> str:
        if isinstance(secret, str) and _MARKED(secret):
            return secret
        return f"{MARK}-{hmac.digest(salt, json.dumps(secret).encode(), 'sha256')[:4].hex()}"

    return mark


def _redacted(value: Any, mark: _Mark, depth: int) -> Any:
    if isinstance(value, dict | list) and not depth:
        return MARK
    if isinstance(value, dict):
        # A parameter called `key` is one, a member called so seldom is.
        paired = value.get("name") == "key" or _is_secret(value.get("name"))
        kept = {"code"} if "code_hash" in value else frozenset[str]()
        hidden = {"default", "value"} if value.get("secret") is True else frozenset[str]()
        return {
            k: v
            if k in kept
            else _blank(v, mark, depth - 1)
            if k in hidden or (paired and k == "value")
            else _redact_named(k, v, mark, depth - 1)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_redacted(v, mark, depth - 1) for v in value]
    return _redact_text(value, mark, depth) if isinstance(value, str) else value


def _is_secret(name: Any) -> bool:
    return isinstance(name, str) and _names_secret(name)


@lru_cache(maxsize=4096)
def _names_secret(name: str) -> bool:
    if _SECRET_NAME.search(name):
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    # A key is a credential when it says of what: `openai_key`, unlike the `key` of a component.
    compound = len(words) > 1 and words[-1] == "key"
    pairs = pairwise(words)
    return compound or not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairs)


def _redact_named(name: str, value: Any, mark: _Mark, depth: int) -> Any:
    if not _is_secret(name) or (name == _PUBLIC_NAME and isinstance(value, str)):
        return _redacted(value, mark, depth)
    if name.lower() in _AUTH_NAMES and isinstance(value, dict) and depth:
        public = {k for k, v in value.items() if k in _PUBLIC_IN_AUTH and isinstance(v, str)}
        return {
            k: _redact_text(v, mark, depth) if k in public else _blank(v, mark, depth - 1)
            for k, v in value.items()
        }
    return _blank(value, mark, depth)


def _redact_text(text: str, mark: _Mark, depth: int) -> str:
    """Redact a text, which may hold JSON: a workflow's trigger has `configured_props_json`."""
    if not depth:
        return _redact_urls(text, mark)
    redacted = _redact_json(text, mark, depth - 1)
    redacted = _redact_urls(text, mark) if redacted is None else redacted
    if "%" in redacted:
        # As a form's field or a URL's parameter; a text without a secret stays as it is written.
        decoded = unquote_plus(redacted)
        clean = _redact_text(decoded, mark, depth - 1) if decoded != redacted else decoded
        return redacted if clean == decoded else clean
    return redacted


def _redact_json(text: str, mark: _Mark, depth: int) -> str | None:
    """Redact the JSON in a text, wherever it begins; None if there is none.

    It may follow white space, a byte order mark, a line of a log or other JSON, or be a string that
    holds JSON once more.
    """
    parts: list[str] = []
    done = at = tries = 0
    while tries < _MAX_TRIES and (opening := _OPENING.search(text, at)):
        at = opening.end()
        start = at - (opening[0] in ("{", "["))
        try:
            value, end = _decode_json(text, start)
            if isinstance(value, str) and text[end:].strip():
                raise ValueError("a text in quotes, and more")
            redacted = _redacted(value, mark, depth)
        except (ValueError, RecursionError):
            tries += 1
            continue
        found = text[start:end] if redacted == value else json.dumps(redacted)
        parts += [_redact_urls(text[done:start], mark), found]
        done = at = end
    return "".join([*parts, _redact_urls(text[done:], mark)]) if parts else None


def _redact_urls(text: str, mark: _Mark) -> str:
    if "://" in text and "@" in text:
        text = _USERINFO.sub(lambda match: mark(match[0]), text)
    if "=" in text:
        for pattern in (_SECRET_PARAM, _SECRET_FIELD):
            text = pattern.sub(lambda match: match[1] + mark(match[2]), text)
    if '":' in text or '" :' in text:
        # Of JSON that was cut short, or is quoted within a text.
        text = _MEMBER.sub(lambda match: _redact_member(match, mark), text)
    return _SECRET_VALUE.sub(lambda match: mark(match[0]), text)


def _redact_member(match: re.Match[str], mark: _Mark) -> str:
    if not match["value"] or not _is_secret(match["name"]) or match["name"] == _PUBLIC_NAME:
        return match[0]
    return match["before"] + mark(match["value"])


def _blank(value: Any, mark: _Mark, depth: int) -> Any:
    if isinstance(value, dict | list) and not depth:
        return MARK
    if isinstance(value, dict):
        return {k: _blank(v, mark, depth - 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_blank(v, mark, depth - 1) for v in value]
    return value if value is None or isinstance(value, bool) else mark(value)
