"""`pipedream-source api`: any call of the API, its answer as it came."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipedream_source.cli.asking import Connecting
from pipedream_source.cli.files import read_object, read_text
from pipedream_source.cli.groups import examples
from pipedream_source.cli.guard import guarded
from pipedream_source.cli.options import DryRun
from pipedream_source.cli.output import Form
from pipedream_source.cli.request_text import write_request
from pipedream_source.core.redaction import printable
from pipedream_source.settings import MAX_PAGES_PER_LIST, PAGE_LIMIT

if TYPE_CHECKING:
    from pipedream_source.api.client import PipedreamClient
    from pipedream_source.api.protocol import Answer, Request

EXAMPLES = examples(
    "api GET /users/me",
    "api GET /sources/dc_abc123/event_summaries -f expand=event -f limit=1",
    "api PUT /sources/dc_abc123 -F active=false --dry-run",
    "api POST /sources --input source.json",
    "api GET /users/me/sources --paginate --include-headers",
)
# Their fields travel in the query (sections "Common Parameters", "Delete source events").
_WITHOUT_BODY = ("GET", "DELETE")

Texts = Annotated[
    list[str] | None,
    typer.Option("-f", "--raw-field", metavar="KEY=VALUE", help="A parameter, as text."),
]
Typed = Annotated[
    list[str] | None,
    typer.Option(
        "-F",
        "--field",
        metavar="KEY=VALUE",
        help="A parameter: true, false, null or a number as such, @FILE as the file's text.",
    ),
]
Input = Annotated[
    str | None,
    typer.Option(
        "--input",
        metavar="FILE",
        help="The body, a JSON object; - is stdin. Then fields go into the query.",
    ),
]
Paginate = Annotated[bool, typer.Option("--paginate", help="Ask for every page of a list.")]
Headers = Annotated[
    bool, typer.Option("-i", "--include-headers", help="Write status and headers first.")
]


@guarded
def api(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, PUT or DELETE.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Below the API's address.")],
    raw_field: Texts = None,
    field: Typed = None,
    input_file: Input = None,
    paginate: Paginate = False,
    include_headers: Headers = False,
    dry_run: DryRun = False,
    *,
    asked: Connecting,
) -> None:
    """Call the API and write the body of its answer, whatever it is.

    Fields are the query of GET and DELETE, and the JSON body of the others. Nothing is asked
    before a deletion, and credentials in an answer are not replaced.
    """
    request = _request(method, path, _fields(raw_field, field), input_file)
    if paginate and request.method != "GET":
        raise typer.BadParameter("--paginate goes with GET")
    if dry_run:
        write_request(Form(), asked.settings(), request)
        return
    with asked.client() as client:
        for answer in _pages(client, request) if paginate else [client.send(request)]:
            _write(client, answer, with_headers=include_headers)


def _request(method: str, path: str, fields: dict[str, Any], input_file: str | None) -> Request:
    from pipedream_source.api import calls

    if input_file or method.upper() in _WITHOUT_BODY:
        body = read_object(input_file, "--input") if input_file else None
        return calls.request(method, path, params=_as_texts(fields), body=body)
    return calls.request(method, path, body=fields or None)


def _fields(texts: list[str] | None, typed: list[str] | None) -> dict[str, Any]:
    fields: dict[str, Any] = dict(_pair(text, "-f") for text in texts or ())
    return fields | {key: _typed(value) for key, value in (_pair(t, "-F") for t in typed or ())}


def _pair(text: str, flag: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"{flag} takes KEY=VALUE, not {printable(text, 60)!r}")
    return key, value


def _typed(value: str) -> Any:
    if value.startswith("@"):
        return read_text(value[1:], "-F")
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if found is None or isinstance(found, bool | int | float) else value


def _as_texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}


def _pages(client: PipedreamClient, request: Request) -> Iterator[Answer]:
    """Yield pages until one brings nothing new, or its cursor leads nowhere new."""
    params = {"limit": str(PAGE_LIMIT), **request.params}
    seen: set[str] = set()
    for number in range(MAX_PAGES_PER_LIST):
        answer = client.send(type(request)(request.path, params))
        rows, cursor = _rows_and_cursor(answer.body)
        fresh = {json.dumps(row.get("id", row), sort_keys=True) for row in rows} - seen
        if not fresh and number:
            return
        yield answer
        if not cursor or not fresh or params.get("after") == cursor:
            return
        seen |= fresh
        params["after"] = cursor


def _rows_and_cursor(body: bytes) -> tuple[list[dict[str, Any]], str | None]:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return [], None
    if not isinstance(page, dict):
        return [], None
    rows, info = page.get("data"), page.get("page_info")
    cursor = info.get("end_cursor") if isinstance(info, dict) else None
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return found, cursor if isinstance(cursor, str) else None


def _write(client: PipedreamClient, answer: Answer, *, with_headers: bool) -> None:
    """Write an answer: byte for byte into a pipe, harmless on a terminal, never with the key."""
    # Latin-1 keeps each byte what it is.
    text = client.redact(answer.body.decode("latin-1"))
    if with_headers:
        sys.stdout.write(client.redact(_head(answer)) + "\n\n")
        sys.stdout.flush()
    if sys.stdout.isatty():
        shown = printable(text.encode("latin-1").decode("utf-8", "replace"), len(text))
        sys.stdout.write(shown.rstrip("\n") + "\n")
    else:
        sys.stdout.buffer.write(text.encode("latin-1").rstrip(b"\n") + b"\n" if text else b"")
    sys.stdout.flush()


def _head(answer: Answer) -> str:
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = ""
    lines = [f"HTTP {answer.status} {reason}".rstrip()]
    lines += [printable(f"{name}: {value}", 1_000) for name, value in answer.headers.items()]
    return "\n".join(lines)
