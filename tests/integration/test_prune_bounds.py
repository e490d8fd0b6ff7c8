"""`prune` within bounds: of memory, of an archive that others use too or that takes no files."""

import errno
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from pipedream_source.exceptions import PipedreamError
from pipedream_source.running.destination.target import Target
from pipedream_source.running.maintenance import prune
from tests.integration.pruning import Dying, assert_nothing_lost, payloads


def test_two_databases_in_one_second_write_two_files(
    target: Target, cutoff: datetime, tmp_path: Path
) -> None:
    other = Target(database=tmp_path / "other.duckdb")
    shutil.copy(target.database, other.database)
    with duckdb.connect(str(other.database)) as connection:
        connection.execute("UPDATE pipedream.source_event_summaries SET id = '9' || id")
    before, others = payloads(target.database), payloads(other.database)
    done: list[Any] = []

    def tell(step: str, _: int, __: int) -> None:
        if not done:
            done.append(step)
            prune.prune_payloads(other, cutoff, tmp_path / "old")

    with patch.object(prune, "datetime") as clock:
        clock.now.return_value = datetime(2026, 12, 1, tzinfo=UTC)
        prune.prune_payloads(target, cutoff, tmp_path / "old", tell)
    assert done
    for one, held_before in ((target, before), (other, others)):
        assert assert_nothing_lost(held_before, one, tmp_path / "old") > 500


@pytest.mark.skipif(duckdb.__version__ < "2", reason="DuckDB 1 holds it within the limit")
def test_what_the_limit_of_memory_cannot_hold_is_pruned_without_it(
    target: Target, tmp_path: Path
) -> None:
    large = json.dumps({"text": "x" * 20_000_000})
    with duckdb.connect(str(target.database)) as connection:
        connection.execute(
            "UPDATE pipedream.workflow_errors SET event = $1 WHERE rowid = 0", [large]
        )
    before, real, end = payloads(target.database), duckdb.connect, datetime(2100, 1, 1, tzinfo=UTC)
    with patch("pipedream_source.running.duckdb.memory_limit.DUCKDB_MEMORY", "40MB"):
        dying = patch("duckdb.connect", lambda *a, **k: Dying(real(*a, **k), "RESET memory_limit"))
        with dying, pytest.raises(KeyboardInterrupt):
            prune.prune_payloads(target, end, tmp_path / "old")
        assert not list((tmp_path / "old").iterdir())
        done = prune.prune_payloads(target, end, tmp_path / "old")
    assert assert_nothing_lost(before, target, tmp_path / "old") == sum(one.rows for one in done)
    assert len(list((tmp_path / "old").iterdir())) == len(done)


def test_many_payloads_need_little_memory(target: Target, cutoff: datetime, tmp_path: Path) -> None:
    """Digests are joined, not payloads: these are nearly twice what the limit holds."""
    with duckdb.connect(str(target.database)) as connection:
        connection.execute(
            "INSERT INTO pipedream.workflow_errors SELECT * EXCLUDE i REPLACE ("
            "row_number() OVER () || '-9' AS id, $1::TIMESTAMPTZ - INTERVAL 1 DAY AS emitted_at, "
            "to_json(repeat(sha256(i::VARCHAR), 80)) AS event) "
            "FROM (FROM pipedream.workflow_errors LIMIT 1), range(20000) AS many(i)",
            [cutoff],
        )
    real = duckdb.connect
    limit = patch("pipedream_source.running.duckdb.memory_limit.DUCKDB_MEMORY", "60MB")
    # It would end where the limit is lifted.
    with limit, patch("duckdb.connect", lambda *a, **k: Dying(real(*a, **k), "RESET")):
        (*_, done) = prune.prune_payloads(target, cutoff, tmp_path / "old")
    assert done.rows > 20_000


def test_an_archive_that_takes_no_files_is_told(
    target: Target, cutoff: datetime, tmp_path: Path
) -> None:
    before = payloads(target.database)
    refused = OSError(errno.EROFS, "Read-only file system")
    with (
        patch("os.open", side_effect=refused),
        patch.object(Path, "unlink", side_effect=refused),
        pytest.raises(PipedreamError, match=r"Read-only file system\): nothing was dropped"),
        prune._writable(target) as connection,
    ):
        prune._Pruning(connection, target, cutoff, tmp_path / "old", lambda *_: None).run()
    assert payloads(target.database) == before
