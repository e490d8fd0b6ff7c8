"""A request as text, for `--dry-run`: what would be sent, but never a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pipedream_source.cli.command.errors import redacted
from pipedream_source.cli.output.console import err, print_json, print_text, to_json
from pipedream_source.cli.output.objects import Form
from pipedream_source.core.text.redaction import printable, redact_object
from pipedream_source.settings import BASE_URL

if TYPE_CHECKING:
    from pipedream_source.api.protocol import Request


NOTHING_SENT = "Nothing was sent (--dry-run)."


def write_request(
    form: Form, settings: Mapping[str, Any], request: Request, note: str = NOTHING_SENT
) -> None:
    """Write a request to stdout, and to stderr that it was not sent.

    Args:
        form: text for people, or JSON.
        settings: the client's; the address is one of them.
        request: what would be sent.
        note: what is said on stderr.

    Raises:
        ConfigurationError: the address cannot be used.
    """
    from pipedream_source.api.protocol import check_base_url

    base = check_base_url(settings.get("base_url") or BASE_URL)
    url = redacted(base + request.path + _query(request.params))
    body = None if request.body is None else _body(request.body)
    whole = {"method": request.method, "url": url, "body": body}
    if form.as_json:
        print_json(whole)
    elif form.as_jsonl:
        print_text(to_json(whole))
    else:
        print_text(printable(f"{request.method} {url}", len(url) + 10))
        if body is not None:
            print_json(body)
    err().print(f"[dim]{note}[/]", soft_wrap=True)


def _query(params: Mapping[str, str]) -> str:
    # The mark of what was taken out stays legible.
    return "?" + urlencode(redact_object(dict(params)), safe="[]") if params else ""


def _body(body: Mapping[str, Any]) -> Any:
    return json.loads(redacted(json.dumps(redact_object(dict(body)))))
