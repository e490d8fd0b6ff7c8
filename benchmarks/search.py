r"""Measure the search in payloads: python -m benchmarks.search [SMALL] [LARGE].

SMALL payloads of some 300 bytes and LARGE ones of some 8 KB, a million and a hundred thousand by
default: without escapes, with a line break in one of ten, and with escapes in each. Each search
runs beside the comparison with the raw JSON that it replaced, a pattern in which each character is
also spelled as Python's `json` escapes it: that one misses `\u0026`, and finds the n of a `\n`.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from pipedream_source import PayloadSearch

ROUNDS = 3
# Words of five letters, drawn by number: a payload is as good as random, and always the same.
WORDS = "substr(md5((n * 31 + i)::VARCHAR), 1, 5)"
ESCAPES = {"no": "false", "a tenth": "n % 10 = 0", "all": "true"}
#: What is looked for, and whether as a regular expression. None is in any payload.
SEARCHES = (
    ("card declined", False),
    ("Kiosk sale", False),
    ('size 5" pipe', False),
    ("x&y", False),
    ("café noir", False),
    (r"order-[0-9]{5}\b", True),
    (r"\b(timeout|refused)\b", True),
)


def main() -> None:
    """Measure each search on each set of payloads and print the figures."""
    given = [int(word) for word in sys.argv[1:]]
    small, large = given + [1_000_000, 100_000][len(given) :]
    print(f"{platform.machine()}, {os.cpu_count()} cores, DuckDB {duckdb.__version__}, CPU seconds")
    print(f"{'payloads':36}{'search':28}{'raw':>7}{'text':>7}{'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for count, words in ((small, 38), (large, 1_300)):
            for escapes in ESCAPES:
                path = Path(folder, "payloads.duckdb")
                size = _make(path, count, words, escapes)
                _measure(path, f"{count:,} of {size:,} B, {escapes} escapes")
                path.unlink()


def _make(path: Path, count: int, words: int, escapes: str) -> int:
    r"""Write payloads into a table; return their mean size.

    Args:
        path: of a new database.
        count: how many.
        words: in each.
        escapes: which of them hold a `\n` after each tenth word.
    """
    line = f"CASE WHEN {ESCAPES[escapes]} AND i % 10 = 0 THEN '\\n' ELSE ' ' END"
    with duckdb.connect(str(path)) as database:
        database.execute(f"""
            CREATE TABLE events AS SELECT (
                '{{"id":' || n || ',"live":true,"user":{{"name":"Ada Byron"}},"text":"' ||
                list_aggregate(list_transform(range({words}), lambda i: {WORDS} || {line}),
                    'string_agg', '') || '"}}')::JSON AS event
            FROM range({count}) AS numbers(n)""")  # noqa: S608
        ((size,),) = database.execute(
            "SELECT avg(strlen(event::VARCHAR))::BIGINT FROM events"
        ).fetchall()
    return int(size)


def _measure(path: Path, what: str) -> None:
    with duckdb.connect(str(path), read_only=True) as database:
        for text, is_regex in SEARCHES:
            search = PayloadSearch.of_regex(text) if is_regex else PayloadSearch.of_text(text)
            before = "regexp_matches(CAST(event AS VARCHAR), $pattern, 'i')"
            values = {"pattern": text if is_regex else _spelled(text)}
            after = search.condition("event")
            # In turn, so that a busy machine slows both.
            pairs = [
                (_seconds(database, before, values), _seconds(database, after, search.parameters))
                for _ in range(ROUNDS)
            ]
            raw, found = (min(times) for times in zip(*pairs, strict=True))
            print(f"{what:36}{text:28}{raw:7.2f}{found:7.2f}{found / raw:7.2f}", flush=True)


def _seconds(database: duckdb.DuckDBPyConnection, condition: str, values: dict[str, str]) -> float:
    begin = time.process_time()
    query = f"SELECT count(*) FROM events WHERE {condition}"  # noqa: S608
    database.execute(query, values).fetchall()
    return time.process_time() - begin


def _spelled(text: str) -> str:
    """Return a pattern for a text, each character also as Python's `json` escapes it."""
    return "".join(map(_either, text))


def _either(character: str) -> str:
    forms = {json.dumps(c)[1:-1] for c in (character, character.lower(), character.upper())}
    forms |= {character, "\\/"} if character == "/" else {character}
    either = "|".join(re.escape(form) for form in sorted(forms))
    return f"(?:{either})" if len(forms) > 1 else either


if __name__ == "__main__":
    main()
