"""`pipedream-source api`: any call of the API, its answer as it came."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipedream_source.cli.command.errors import guarded, said, say_error
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags.input_files import read_object, read_text
from pipedream_source.cli.flags.options import DryRun
from pipedream_source.cli.manage.call_flags import Connecting
from pipedream_source.cli.manage.nested_fields import NO_VALUE, Pair, nested
from pipedream_source.cli.manage.request_text import write_request
from pipedream_source.cli.output.objects import Form
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ApiError, Unauthorized
from pipedream_source.running.exit_codes import exit_code_of
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
    typer.Option(
        "-f",
        "--raw-field",
        metavar="KEY=VALUE",
        help="A parameter, as text. In a body a[b]=x is an object, a[]=x an item of a list.",
    ),
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
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Taken for the habit: an answer is JSON anyway.", hidden=True),
]
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
    as_json: AsJson = False,
    *,
    asked: Connecting,
) -> None:
    """Call the API and write the body of its answer, whatever it is.

    Fields are the query of GET and DELETE, and the JSON body of the others. Nothing is asked
    before a deletion, and credentials in an answer are not replaced. The body of a refusal is
    written too, and the exit code is not 0.
    """
    request = _request(method, path, [*_fields(raw_field, field)], input_file)
    if paginate and request.method != "GET":
        raise typer.BadParameter("--paginate goes with GET")
    if dry_run:
        write_request(Form(as_json), asked.settings(), request)
        return
    with asked.client() as client:
        _send(client, request, asked, paginate=paginate, with_headers=include_headers)


def _send(
    client: PipedreamClient,
    request: Request,
    asked: Connecting,
    *,
    paginate: bool,
    with_headers: bool,
) -> None:
    """Write the answers, the one that is a refusal too."""
    from pipedream_source.cli.flags.config import credentials
    from pipedream_source.cli.manage.refused_answers import keep_answers

    kept = keep_answers(client, credentials(), asked.settings()).kept
    try:
        for answer in _pages(client, request) if paginate else [client.send(request)]:
            _write(client, answer, with_headers=with_headers)
    except (ApiError, Unauthorized) as error:
        refused = kept.get(request.path)
        if refused is None or 200 <= refused.status < 300:
            raise
        _write(client, refused, with_headers=with_headers)
        say_error(said(error))
        raise typer.Exit(exit_code_of(error)) from None


def _request(method: str, path: str, pairs: list[Pair], input_file: str | None) -> Request:
    from pipedream_source.api import calls

    if input_file or method.upper() in _WITHOUT_BODY:
        body = read_object(input_file, "--input") if input_file else None
        return calls.request(method, path, params=_as_texts(pairs), body=body)
    return calls.request(method, path, body=nested(pairs) or None)


def _fields(texts: list[str] | None, typed: list[str] | None) -> Iterator[Pair]:
    for text in texts or ():
        yield _pair(text, "-f")
    for text in typed or ():
        key, value = _pair(text, "-F")
        yield key, _typed(value) if isinstance(value, str) else value


def _pair(text: str, flag: str) -> Pair:
    key, equals, value = text.partition("=")
    if key.endswith("[]") and not equals:
        return key, NO_VALUE
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


def _as_texts(pairs: Iterable[Pair]) -> dict[str, str]:
    """Return the parameters of a query, in which keys do not nest.

    Raises:
        typer.BadParameter: one is a list, of which the client can send one item only.
    """
    texts: dict[str, str] = {}
    for key, value in pairs:
        if value is NO_VALUE or (key.endswith("[]") and key in texts):
            raise typer.BadParameter(f"{printable(key, 60)!r}: a query takes one value for a key")
        texts[key] = value if isinstance(value, str) else json.dumps(value)
    return texts


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
