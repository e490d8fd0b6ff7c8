"""`compact`: the copy holds all that the database does, or the database stays as it was."""

import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import duckdb
import pytest

from pipedream_source.exceptions import PipedreamError
from pipedream_source.running.destination.target import Target
from pipedream_source.running.duckdb.copy import ORIGINAL, DatabaseCopy
from pipedream_source.running.duckdb.storage import known_versions, storage_version_of
from pipedream_source.running.maintenance import compact
from pipedream_source.running.maintenance.compact import Compaction, compact_database, copy_compact

VERSIONS = known_versions()
NEWEST = VERSIONS[-1]
#: Payloads that no JSON library gives back as they are, and lengths where compression changes.
PAYLOADS = [
    r"""{"b" : 1e400,
 "a":"caf\u00e9 \u001b[2J", "twice":1, "twice":2.50, "path":"a\/b", "n":NaN, "":[] }""",
    '{"digits":123456789012345678901234567890.12345678901234567890,"text":"é\u2028𝄞"}',
    *('"' + "x" * length + f'{length}"' for length in (0, 4_090, 5_000, 16_384, 300_000)),
    *(f'{{"n":{n},"same":"{"same " * 50}"}}' for n in range(500)),
]
# What a user may make in the same file. DuckDB copies a view whose table is gone, too.
USERS_OWN = """
CREATE SCHEMA "own ""schema"
CREATE TYPE mood AS ENUM ('good', 'bad')
COMMENT ON TYPE mood IS 'of a type'
CREATE SEQUENCE numbers START 5 INCREMENT 3
SELECT nextval('numbers')
CREATE MACRO add_one(x) AS x + 1
CREATE MACRO of_state(s) AS TABLE SELECT * FROM events.pipedream.source_event_summaries WHERE id = s
COMMENT ON MACRO add_one IS 'of a macro'
CREATE TABLE z_first(id INTEGER PRIMARY KEY, CHECK (id > 0))
CREATE TABLE after_it(id INTEGER PRIMARY KEY, first INTEGER REFERENCES z_first(id))
INSERT INTO z_first VALUES (1), (2)
INSERT INTO after_it VALUES (7, 1)
CREATE TABLE "own ""schema"."a table"(n INTEGER DEFAULT 7, w INT AS (n * 2), "m n" mood)
INSERT INTO "own ""schema"."a table"(n, "m n") VALUES (1, 'good'), (1, 'good'), (NULL, 'bad')
COMMENT ON TABLE "own ""schema"."a table" IS 'of a table'
COMMENT ON COLUMN "own ""schema"."a table".n IS 'of a column'
CREATE INDEX by_n ON "own ""schema"."a table"(n)
CREATE VIEW z_base AS SELECT add_one(n) AS m FROM "own ""schema"."a table"
CREATE VIEW a_view(renamed) AS SELECT m FROM events.main.z_base
COMMENT ON VIEW a_view IS 'of a view'
CREATE TABLE goes(x INTEGER)
CREATE VIEW broken AS SELECT x FROM goes
DROP TABLE goes
CREATE TABLE kinds(a DOUBLE, b INT[], c MAP(TEXT, INT), d BLOB, e UNION(n INT, t TEXT), f UUID)
INSERT INTO kinds VALUES ('nan', [1, NULL], MAP {'a': 1}, 'x'::BLOB, 3, uuid())
"""
TRIGGER = """
CREATE TABLE noted(n INTEGER)
CREATE TRIGGER notes AFTER INSERT ON z_first INSERT INTO noted VALUES (1)
"""


class Made(NamedTuple):
    """A database as a load leaves it, with staging tables."""

    target: Target

    @property
    def database(self) -> Path:
        return self.target.database

    def execute(self, *statements: str) -> list[tuple]:
        with duckdb.connect(str(self.database)) as connection:
            for statement in statements:
                connection.execute(statement)
            return connection.fetchall()

    def payloads(self, path: Path | None = None) -> list[str]:
        with duckdb.connect(str(path or self.database), read_only=True) as connection:
            query = "SELECT event::VARCHAR FROM pipedream.source_event_summaries ORDER BY id"
            return [event for (event,) in connection.execute(query).fetchall()]

    def compact(self, version: str = NEWEST, **how: Any) -> compact.Compacted:
        return compact_database(self.target, Compaction(version, **how))

    def unchanged(self) -> "Unchanged":
        return Unchanged(self.database)


class Unchanged:
    """Requires that a block leaves a file, and the folder around it, as they were."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _state(self) -> tuple[bytes, int, set[str]]:
        around = {path.name for path in self.path.parent.iterdir() if path.suffix != ".dlt"}
        return self.path.read_bytes(), self.path.stat().st_ino, around

    def __enter__(self) -> None:
        self.before = self._state()

    def __exit__(self, *_: object) -> None:
        assert self._state() == self.before


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "events.duckdb"
    with duckdb.connect(str(path)) as connection:
        for schema in ("pipedream", "pipedream_staging", "stripe_staging"):
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(
                f"CREATE TABLE {schema}.source_event_summaries"
                "(id VARCHAR NOT NULL, event JSON, _dlt_load_id VARCHAR NOT NULL)"
            )
            connection.executemany(
                f"INSERT INTO {schema}.source_event_summaries VALUES (?, ?, '1.5')",
                [(f"{number:05}", payload) for number, payload in enumerate(PAYLOADS[:50])],
            )
        connection.execute("CREATE TABLE pipedream._dlt_loads(load_id VARCHAR, status BIGINT)")
        connection.execute("INSERT INTO pipedream._dlt_loads VALUES ('1.5', 0)")
    return path


@pytest.fixture
def made(original: Path, tmp_path: Path) -> Made:
    folder = tmp_path / "made"
    folder.mkdir()
    shutil.copy(original, folder / "events.duckdb")
    return Made(Target(database=folder / "events.duckdb"))


def statements(text: str) -> list[str]:
    return text.strip().splitlines()


def test_what_a_user_made_is_there_and_staging_is_not(made: Made) -> None:
    made.execute(*statements(USERS_OWN))
    has_triggers = made.execute(
        "SELECT 1 FROM duckdb_functions() WHERE function_name = 'duckdb_triggers'"
    )
    if has_triggers:
        made.execute(*statements(TRIGGER))
    done = made.compact()
    assert (done.left_out, done.kept) == (("pipedream_staging",), ())
    assert done.rows == 50 + 1 + 50 + 2 + 1 + 3 + 1
    schemas = "SELECT DISTINCT schema_name FROM duckdb_tables() ORDER BY ALL"
    assert made.execute(schemas) == [
        ("main",),
        ('own "schema',),
        ("pipedream",),
        ("stripe_staging",),
    ]
    assert made.execute("SELECT renamed FROM a_view ORDER BY ALL") == [(2,), (2,), (None,)]
    assert made.execute("SELECT nextval('numbers')") == [(8,)]
    assert made.execute("SELECT id FROM of_state('00001')") == [("00001",)]
    assert made.execute("SELECT sql FROM duckdb_views() WHERE view_name = 'broken'")
    assert made.execute("SELECT index_name FROM duckdb_indexes()") == [("by_n",)]
    comments = (
        "SELECT comment FROM (SELECT comment FROM duckdb_types() UNION ALL SELECT comment FROM "
        "duckdb_functions() UNION ALL SELECT comment FROM duckdb_tables() UNION ALL SELECT comment "
        "FROM duckdb_columns() UNION ALL SELECT comment FROM duckdb_views()) "
        "WHERE comment LIKE 'of a %' ORDER BY ALL"
    )
    told = ["of a column", "of a macro", "of a table", "of a type", "of a view"]
    assert [comment for (comment,) in made.execute(comments)] == told
    with pytest.raises(duckdb.ConstraintException):
        made.execute("INSERT INTO after_it VALUES (8, 3)")
    made.execute("INSERT INTO z_first VALUES (3)")
    if has_triggers:
        assert made.execute("FROM noted") == [(1,)]


def test_payloads_stay_byte_for_byte_through_every_version(made: Made, tmp_path: Path) -> None:
    made.execute("DELETE FROM pipedream.source_event_summaries")
    with duckdb.connect(str(made.database)) as connection:
        connection.execute(
            "INSERT INTO pipedream.source_event_summaries "
            "SELECT format('{:05}', number - 1), event, '1.5' "
            "FROM (SELECT unnest($1) AS event, generate_subscripts($1, 1) AS number)",
            [PAYLOADS],
        )
    assert made.payloads() == PAYLOADS
    for version in VERSIONS:
        done = made.compact(version)
        assert done.storage_version == storage_version_of(made.database) == version
        assert made.payloads() == PAYLOADS
    copy_compact(made.target, tmp_path / "copy.duckdb", Compaction("v1.2.0"))
    assert made.payloads(tmp_path / "copy.duckdb") == PAYLOADS


LOSSES = {
    "a row": "DELETE FROM {} WHERE id = '00007'",
    "a row for another": "UPDATE {} SET id = '00008' WHERE id = '00007'",
    "a byte of a payload": "UPDATE {} SET event = replace(event, 'x', 'y') WHERE length(event) > 9",
    "a comment": "COMMENT ON TABLE {} IS NULL",
    "an index": "DROP INDEX copied.pipedream.by_id",
    "a view": "DROP VIEW copied.seen",
    "a macro": "DROP MACRO copied.add_one",
    "a table": "DROP TABLE copied.other",
    "a constraint": "ALTER TABLE copied.other ALTER x DROP NOT NULL",
    # No rollback takes that back: the last one.
    "a place in a sequence": "SELECT nextval('copied.numbers')",
}


def test_a_copy_that_lacks_something_is_noticed(made: Made) -> None:
    made.execute(
        "COMMENT ON TABLE pipedream.source_event_summaries IS 'events'",
        "CREATE INDEX by_id ON pipedream.source_event_summaries(id)",
        "CREATE VIEW seen AS SELECT 1 AS one",
        "CREATE MACRO add_one(x) AS x + 1",
        "CREATE SEQUENCE numbers",
        "CREATE TABLE other(x INTEGER NOT NULL)",
    )
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{made.database}' AS \"{ORIGINAL}\" (READ_ONLY)")
        connection.execute("ATTACH ':memory:' AS copied")
        copy = DatabaseCopy(connection, "copied", ["pipedream_staging"], lambda *_: None)
        copy.fill()
        for what, statement in LOSSES.items():
            assert copy.verify() == (4, 101)
            connection.begin()
            connection.execute(statement.format("copied.pipedream.source_event_summaries"))
            with pytest.raises(PipedreamError, match="would not be the same in the copy"):
                pytest.fail(f"{what} is not noticed: {copy.verify()}")
            connection.rollback()


def test_a_copy_that_is_refused_changes_nothing(made: Made) -> None:
    error = PipedreamError("The rows of it would not be the same in the copy")
    with patch.object(DatabaseCopy, "verify", side_effect=error), made.unchanged():
        with pytest.raises(PipedreamError, match="would not be the same"):
            made.compact()
        with pytest.raises(PipedreamError, match="would not be the same"):
            copy_compact(made.target, made.database.with_name("copy.duckdb"), Compaction(NEWEST))


@pytest.mark.skipif(NEWEST < "v2", reason="DuckDB 1 makes no VARIANT in a file as it is")
def test_what_duckdb_cannot_copy_is_refused(made: Made) -> None:
    made.execute("CREATE TABLE newer(v VARIANT)")
    with made.unchanged(), pytest.raises(PipedreamError, match="newer --storage-version may hold"):
        made.compact("v1.2.0")
    assert made.compact().tables == 4
    made.execute(
        "CREATE TABLE tree(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES tree(id))",
        "INSERT INTO tree VALUES (1, NULL)",
        "INSERT INTO tree VALUES (2, 1)",
    )
    with (
        made.unchanged(),
        pytest.raises(PipedreamError, match=r"Constraint Error.*It is as it was"),
    ):
        made.compact()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO pipedream_staging.source_event_summaries VALUES ('9', NULL, '2.5')",
        "UPDATE pipedream._dlt_loads SET status = 1",
        "CREATE VIEW pipedream_staging.mine AS SELECT 1 AS one",
        "CREATE TABLE pipedream_staging.mine(x INTEGER)",
    ],
)
def test_staging_of_a_load_that_has_not_ended_is_kept(made: Made, statement: str) -> None:
    """A killed load does not copy again what it copied there."""
    made.execute(statement)
    (rows,) = made.execute("SELECT count(*) FROM pipedream_staging.source_event_summaries")
    done = made.compact()
    assert (done.left_out, done.kept) == ((), ("pipedream_staging",))
    assert made.execute("SELECT count(*) FROM pipedream_staging.source_event_summaries") == [rows]


@pytest.mark.skipif(NEWEST < "v2", reason="DuckDB 1 fits it into the limit")
def test_what_needs_more_memory_is_copied_all_the_same(made: Made) -> None:
    """The row group of a first attempt, its checkpoint, or all of it may not fit into the limit."""
    made.execute(
        "CREATE TABLE large AS SELECT repeat(md5(i::VARCHAR), 120) AS text FROM range(12000) r(i)"
    )
    steps: list[str] = []
    attempts = [(rows, {**limit, "memory_limit": "24MB"}) for rows, limit in compact._ATTEMPTS[:2]]
    with patch.object(compact, "_ATTEMPTS", [*attempts, compact._ATTEMPTS[2]]):
        done = made.compact("v1.2.0", tell=lambda step, *_: steps.append(step))
    assert (done.rows, steps.count("Verifying")) == (12_101, 4)
    assert steps.count("Copying") > 4


def test_rights_and_a_link_stay(made: Made, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(made.database)
    made.database.chmod(0o640)
    if not os.geteuid():
        os.chown(made.database, 4_711, 4_712)
    before = made.database.stat()
    Made(Target(database=link)).compact()
    after = made.database.stat()
    assert link.is_symlink()
    assert before.st_ino != after.st_ino
    told = [(s.st_mode, s.st_uid, s.st_gid) for s in (before, after)]
    assert told[0] == told[1]


def test_views_are_the_same_in_a_file_of_another_version(made: Made) -> None:
    """Each storage version keeps other brackets around the parts of a query."""
    made.execute(
        "CREATE VIEW united AS SELECT id FROM pipedream.source_event_summaries "
        "UNION ALL SELECT '1' UNION ALL SELECT '2'"
    )
    made.execute(
        "CREATE VIEW linked AS SELECT a.id FROM united a JOIN united b USING (id) "
        "LEFT JOIN united c USING (id)"
    )
    made.compact("v1.2.0")
    assert storage_version_of(made.database) == "v1.2.0"
    assert made.execute("SELECT count(*) FROM linked") == [(52,)]
