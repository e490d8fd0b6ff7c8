"""`pipedream-source search`: find a text in the payloads of events and errors."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from pipedream_source.cli import options as given
from pipedream_source.cli.console import err, moment, out, plural, shown
from pipedream_source.cli.groups import examples
from pipedream_source.cli.guard import guarded
from pipedream_source.cli.output import Form, write_list
from pipedream_source.cli.reading import Reader, Row, open_reader, require_duckdb
from pipedream_source.cli.times import time_of
from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import ConfigurationError

EXAMPLES = examples(
    'search "card declined"',
    "search --regex 'order-[0-9]{5}' --since 7d --emitter dc_abc123 --json",
)
COLUMNS = ("emitted_at", "emitter_id", "name", "channel", "id", "snippet")
_AROUND = 60
_LONGEST_MATCH = 200
_TEXT = "CAST(event AS VARCHAR)"


@guarded
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Small and capital letters alike.")],
    regex: Annotated[
        bool, typer.Option("--regex", help="TEXT is a regular expression (RE2), on the JSON text.")
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

    A text is found however JSON spells it, with or without escapes. An event is shown with what
    stands around the first place where it matches.
    """
    if as_json and as_jsonl:
        raise typer.BadParameter("--json and --jsonl contradict each other")
    if not text:
        raise typer.BadParameter("an empty text is in every payload")
    from pipedream_source.api.protocol import check_id

    require_duckdb(place.target(), "search")
    wanted = [check_id(one, "--emitter") for one in emitter or ()]
    pattern = text if regex else spelled(text)
    with open_reader(place.target()) as reader:
        finding = _Finding(reader, wanted, time_of(since))
        found = finding.hits(pattern, maximum + 1)
        pruned = finding.pruned()
    _write(Form(as_json, as_jsonl), found[:maximum])
    if len(found) > maximum:
        err().print(f"[dim]The newest {plural(maximum, 'event')} of more; see --max.[/]")
    if pruned:
        told = f"{plural(pruned, 'payload')} of that period moved to an archive and not searched"
        err().print(f"[yellow]note[/]  {told}: see `pipedream-source prune`")


def spelled(text: str) -> str:
    r"""Return a pattern for a text, each character also as JSON may escape it.

    Args:
        text: such as `é/"`, which JSON may hold as `\u00e9\/\"`.
    """
    return "".join(map(_spelled, text))


def _spelled(character: str) -> str:
    forms = {character, "\\" + character} if character == "/" else {character}
    forms |= {json.dumps(c)[1:-1] for c in (character, character.lower(), character.upper())}
    either = "|".join(re.escape(form) for form in sorted(forms))
    return f"(?:{either})" if len(forms) > 1 else either


class _Finding:
    """Looks through the event tables; whatever is looked for is bound, never part of a query."""

    def __init__(self, reader: Reader, emitters: Sequence[str], start: datetime | None) -> None:
        from pipedream_source.resources.tables import EVENT_TABLES

        self._reader = reader
        self._tables = [table.name for table in EVENT_TABLES if table.name in reader.tables]
        marks = ", ".join("?" * len(emitters))
        self._where = "true" + (f" AND emitter_id IN ({marks})" if emitters else "")
        self._where += " AND emitted_at >= ?" if start else ""
        self._values = [*emitters, *([start] if start else [])]

    def hits(self, pattern: str, limit: int) -> list[Row]:
        """Return events that hold a pattern, with what stands around the first place."""
        import duckdb

        if not self._tables:
            return []
        each = [
            f"SELECT '{table}' AS kind, emitter_id, channel, id, emitted_at, event_seq, "  # noqa: S608
            f"{_TEXT} AS text FROM {table} "
            f"WHERE {self._where} AND regexp_matches({_TEXT}, ?, 'i')"
            for table in self._tables
        ]
        query = (
            "SELECT *, regexp_extract(text, ?, 0, 'i') AS match, strpos(text, match) AS place, "  # noqa: S608
            f"substr(text, greatest(1, place - {_AROUND}), least({_AROUND}, place - 1)) AS before, "
            f"substr(text, place + length(match), {_AROUND}) AS after "
            f"FROM ({' UNION ALL '.join(each)} ORDER BY emitted_at DESC, event_seq DESC LIMIT ?)"
        )
        values = [value for _ in self._tables for value in (*self._values, pattern)]
        try:
            rows = self._reader.rows(query, pattern, *values, limit)
        except duckdb.InvalidInputException as error:
            why = printable(str(error).splitlines()[0], 300)
            raise ConfigurationError(f"--regex {printable(pattern)!r}: {why}") from None
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
        rows = self._reader.rows(" UNION ALL ".join(each), *(self._values * len(each)))
        return sum(row["n"] for row in rows)


def _hit(row: Row, name: str | None) -> Row:
    match = row["match"][:_LONGEST_MATCH]
    begin = "…" if row["place"] - 1 > _AROUND else ""
    end = "…" if len(match) < len(row["match"]) or len(row["after"]) == _AROUND else ""
    before = begin + row["before"]
    after = "" if len(match) < len(row["match"]) else row["after"]
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
