"""`pipedream-source search`: find a text in the payloads of events and errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import Console

from pipedream_source.cli.command.errors import guarded
from pipedream_source.cli.command.groups import examples
from pipedream_source.cli.flags import options as given
from pipedream_source.cli.flags.times import time_of
from pipedream_source.cli.output.console import err, moment, out, plural, shown
from pipedream_source.cli.output.objects import Form, write_list
from pipedream_source.cli.read.database import Reader, Row, open_reader, require_duckdb
from pipedream_source.core.text.payload_text import FLAGS, PayloadSearch, payload_text
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError

EXAMPLES = examples(
    'search "card declined"',
    "search --regex 'order-[0-9]{5}' --since 7d --emitter dc_abc123 --json",
)
COLUMNS = ("emitted_at", "emitter_id", "name", "channel", "id", "snippet")
_AROUND = 60
_LONGEST_MATCH = 200
# Where the pattern matched is told by a mark that takes the place of the match: looking for the
# matched text may find it where the pattern does not match.
_PLACES = (
    f"regexp_extract(text, $search_pattern, 0, {FLAGS}) AS match, "
    f"strpos(regexp_replace(text, $search_pattern, $mark, {FLAGS}), $mark) AS place, "
    f"substr(text, greatest(1, place - {_AROUND}), least({_AROUND}, place - 1)) AS before, "
    f"substr(text, place + length(match), {_AROUND + 1}) AS after"
)


@guarded
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Small and capital letters alike.")],
    regex: Annotated[
        bool,
        typer.Option(
            "--regex", help="TEXT is a regular expression (RE2); a dot is a line break too."
        ),
    ] = False,
    emitter: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this emitter's; repeatable.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only events since: ISO 8601, or such as 7d."),
    ] = None,
    maximum: Annotated[
        int, typer.Option("--max", metavar="N", min=1, help="Events in all, the newest first.")
    ] = 50,
    as_json: given.Json = False,
    as_jsonl: given.JsonLines = False,
    _verbose: given.Verbose = 0,
    *,
    place: given.Place,
) -> None:
    """Search the payloads of events, emits and errors in the database, the newest first.

    What is searched is the text of a payload: its JSON, in which each escape is replaced by its
    character: x&y is found however it was sent. An event is shown with what stands around the
    first place where it matches.
    """
    if as_json and as_jsonl:
        raise typer.BadParameter("--json and --jsonl contradict each other")
    if not text:
        raise typer.BadParameter("an empty text is in every payload")
    if not text.isascii() and text.encode("utf-8", "ignore").decode() != text:
        raise typer.BadParameter("the text is no UTF-8, as all payloads are")
    from pipedream_source.api.protocol import check_id

    require_duckdb(place.target(), "search")
    wanted = [check_id(one, "--emitter") for one in emitter or ()]
    wanted_text = PayloadSearch.of_regex(text) if regex else PayloadSearch.of_text(text)
    with open_reader(place.target()) as reader:
        finding = _Finding(reader, wanted, time_of(since))
        found = finding.hits(wanted_text, maximum + 1)
        pruned = finding.pruned()
    _write(Form(as_json, as_jsonl), found[:maximum])
    if len(found) > maximum:
        err().print(f"[dim]The newest {plural(maximum, 'event')} of more; see --max.[/]")
    if pruned:
        told = f"{plural(pruned, 'payload')} of that period moved to an archive and not searched"
        err().print(f"[yellow]note[/]  {told}: see `pipedream-source prune`")


class _Finding:
    """Looks through the event tables; whatever is looked for is bound, never part of a query."""

    def __init__(self, reader: Reader, emitters: Sequence[str], start: datetime | None) -> None:
        from pipedream_source.resources.schema.tables import EVENT_TABLES

        self._reader = reader
        self._tables = [table.name for table in EVENT_TABLES if table.name in reader.tables]
        self._where, self._values = "true", dict[str, Any]()
        if emitters:
            self._where += " AND list_contains($emitters, emitter_id)"
            self._values["emitters"] = list(emitters)
        if start:
            self._where += " AND emitted_at >= $start"
            self._values["start"] = start

    def hits(self, search: PayloadSearch, limit: int) -> list[Row]:
        """Return events that match, with what stands around the first place."""
        import duckdb

        if not self._tables:
            return []
        each = [
            f"SELECT '{table}' AS kind, emitter_id, channel, id, emitted_at, event_seq, event "  # noqa: S608
            f"FROM {table} WHERE {self._where} AND {search.condition('event')}"
            for table in self._tables
        ]
        query = (
            f"SELECT * EXCLUDE event, {payload_text('event')} AS text, {_PLACES} "  # noqa: S608
            f"FROM ({' UNION ALL '.join(each)} "
            "ORDER BY emitted_at DESC, event_seq DESC LIMIT $most)"
        )
        # No payload holds it, as it is made now.
        values = {**self._values, **search.parameters, "most": limit, "mark": uuid4().hex}
        try:
            rows = self._reader.rows(query, values)
        except duckdb.InvalidInputException as error:
            why = printable(str(error).splitlines()[0], 300)
            raise ConfigurationError(f"--regex {printable(search.pattern)!r}: {why}") from None
        names = self._reader.names()
        return [_hit(row, names.get(row["emitter_id"])) for row in rows]

    def pruned(self) -> int:
        """Count the payloads that are gone from what was looked through."""
        each = [
            f"SELECT count(*) AS n FROM {table} WHERE {self._where} AND event_state = 'pruned'"  # noqa: S608
            for table in self._tables
        ]
        if not each:
            return 0
        rows = self._reader.rows(" UNION ALL ".join(each), self._values)
        return sum(row["n"] for row in rows)


def _hit(row: Row, name: str | None) -> Row:
    match = row["match"][:_LONGEST_MATCH]
    begin = "…" if row["place"] - 1 > _AROUND else ""
    end = "…" if len(match) < len(row["match"]) or len(row["after"]) > _AROUND else ""
    before = begin + row["before"]
    after = "" if len(match) < len(row["match"]) else row["after"][:_AROUND]
    return {
        **{key: row[key] for key in ("emitted_at", "emitter_id", "channel", "id")},
        "name": name,
        "table": row["kind"],
        "snippet": before + match + after + end,
        "match": match,
        "match_at": len(before),
    }


def _write(form: Form, found: list[Row]) -> None:
    if form.is_for_people and sys.stdout.isatty() and found:
        for hit in found:
            _print(out(), hit)
    else:
        write_list(form, found, COLUMNS, "events")


def _print(console: Console, hit: dict[str, Any]) -> None:
    named = (hit[key] for key in ("emitter_id", "channel", "name", "id"))
    title = "  ".join(shown(text) for text in named if text)
    console.print(f"[dim]{moment(hit['emitted_at'], seconds=True)}[/]  {title}")
    console.print("  " + "".join(_marked(hit)), soft_wrap=True)


def _marked(hit: dict[str, Any]) -> Iterator[str]:
    start = hit["match_at"]
    end = start + len(hit["match"])
    text = hit["snippet"]
    yield shown(text[:start], 1_000)
    yield f"[bold reverse]{shown(text[start:end], 1_000)}[/]" if hit["match"] else ""
    yield shown(text[end:], 1_000)
