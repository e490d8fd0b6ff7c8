"""On a Postgres server a dataset explains itself as a DuckDB file does."""

import importlib
import re
import time
from dataclasses import replace
from unittest.mock import patch

import pytest

from pipedream_source.resources.schema.view import View
from pipedream_source.resources.schema.views import VIEWS
from tests.destinations.served import Served
from tests.integration import test_describe as same
from tests.integration.contract import HOUR, Contract

pytestmark = pytest.mark.chaos
COMMENTS = """
SELECT c.relname, coalesce(a.attname, ''),
    CASE WHEN a.attnum IS NULL THEN obj_description(c.oid) ELSE col_description(c.oid, a.attnum) END
FROM pg_class AS c
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'v')
"""
TABLES = """
SELECT c.relname, obj_description(c.oid) FROM pg_class AS c
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'v')
"""
CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"
LOADED_BY_A_GUEST = """
CREATE ROLE guest LOGIN; GRANT CREATE ON DATABASE postgres TO guest;
GRANT ALL ON SCHEMA {0} TO guest; GRANT ALL ON ALL TABLES IN SCHEMA {0} TO guest
"""


def more(contract: Contract, count: int = 1) -> None:
    stream = contract.stream("dc_quiet")
    stream.emit_many(count, int(time.time() * 1000) - HOUR + len(stream.emitted) * 1000)


def comments(served: Served) -> dict[tuple[str, str], str]:
    found = {(t, c): comment for t, c, comment in served.rows(COMMENTS, served.dataset)}
    return found | {(t, ""): comment for t, comment in served.rows(TABLES, served.dataset)}


def test_a_server_explains_itself(
    contract: Contract, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    same.fill(contract, served)
    found = comments(served)
    for name, about, fields in same.EVERYTHING:
        assert found.pop((name, "")).startswith(about)
        for column, one in fields.items():
            assert found.pop((name, column)) == one.comment
    assert found == {}
    check_views(served)
    check_own_and_changed(contract, served)
    check_guest(contract, served, monkeypatch)


def check_views(served: Served) -> None:
    """The same rows as on DuckDB."""
    assert served.rows(same.COUNTED) == same.KINDS
    first, *others = served.rows(same.TAKEN_APART)
    assert first[:-1] == same.BOOM_APART[:-1]
    assert first[-1] == {"n": 1}
    assert [row[3] for row in others] == ["plain", "only a text", None, None]
    assert served.rows("SELECT id, name, versions FROM sources_now ORDER BY id") == [
        ("dc_busy", "Renamed", 2),
        ("dc_quiet", "dc_quiet", 1),
    ]
    (lost,) = served.rows("SELECT lost, gap_start < gap_end, reason FROM losses")
    assert re.fullmatch(r"\d+ to \d+, likely \d+", lost[0])
    assert lost[1:] == (True, lost[2])
    query = "SELECT emitter_name, gaps FROM streams WHERE channel = '' ORDER BY emitter_id"
    assert served.rows(query)[:2] == [("Renamed", 1), ("dc_quiet", 0)]
    served.execute(same.USAGE.format(served.dataset))
    assert served.rows(same.USED.replace("::VARCHAR", "::text")) == same.DAYS


def check_own_and_changed(contract: Contract, served: Served) -> None:
    """A view that others depend on stays; one that has other columns is made anew."""
    served.execute("CREATE VIEW mine AS SELECT kind FROM events")
    fewer = {
        name: View(name, "Other.", {"kind": VIEWS["events"].fields["kind"]}, "SELECT 'x' AS kind")
        for name in ("events", "losses")
    }
    served.execute("COMMENT ON TABLE _dlt_version IS NULL")
    more(contract)
    with patch.dict(VIEWS, fewer):
        (note,) = served.load().notes
    assert note.startswith("The view 'events' stays as it was")
    assert served.rows("SELECT * FROM losses") == [("x",)]
    served.execute("DROP VIEW mine; ALTER TABLE event_gaps DROP COLUMN method CASCADE")
    more(contract)
    notes = served.load().notes
    assert not [note for note in notes if "view" in note]
    assert served.rows("SELECT method FROM losses") == [(None,)]
    assert comments(served)["losses", "gap_start"]


def check_guest(contract: Contract, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may write rows and nothing else loads as before."""
    served.execute(LOADED_BY_A_GUEST.format(served.dataset))
    served.execute("COMMENT ON TABLE _dlt_version IS NULL; DROP VIEW streams")
    monkeypatch.setenv(CREDENTIALS, replace(served.server, user="guest").url)
    more(contract, 2)
    guest = served.twin("guest")
    report = guest.load()
    assert (report.exit_code, report.loaded) == (0, True)
    assert not [note for note in report.notes if "view" in note]
    assert comments(served)["_dlt_version", ""] is None
    assert served.one("SELECT count(*) FROM source_event_summaries") == (207,)


def test_paths_of_payloads(served: Served) -> None:
    connection = importlib.import_module("psycopg2").connect(served.server.url)
    with connection.cursor() as cursor:
        for payload, _, path, due in same.paths():
            if path:
                cursor.execute(
                    f"SELECT CAST({path} AS text) FROM (SELECT %s::jsonb AS event) t", [payload]
                )
                assert cursor.fetchall() == [(due,)], path
    connection.close()
