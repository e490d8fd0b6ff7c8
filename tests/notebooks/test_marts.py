"""With the real dbt marts the notebooks show the same errors, and more of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")
pytest.importorskip("dbt", reason="the marts need `make extras`")

from notebooks.reading import events, streams
from notebooks.reading.database import Database
from tests.notebooks.running import ROOT, run

PROJECT = ROOT / "dbt"
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(
        not (PROJECT / "models/marts/fct_error_groups.sql").exists(), reason="dbt has no marts"
    ),
]


@pytest.fixture(scope="module")
def marts(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Database:
    folder = tmp_path_factory.mktemp("marts")
    file = folder / "marts.duckdb"
    file.write_bytes(demo.read_bytes())
    wanted = ("+fct_error_groups", "+fct_payload_fields", "+fct_events")
    command = [
        *(sys.executable, "-m", "dbt.cli.main", "run", "--select", *wanted),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
    ]
    environment = os.environ | {"PIPEDREAM_DATABASE": str(file)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return Database.find(file)


def test_fingerprints_are_those_of_the_marts(marts: Database) -> None:
    query = (
        "SELECT count(*), count(*) FILTER (ours.fingerprint = theirs.fingerprint) "
        "FROM detailed_errors AS ours JOIN fct_workflow_errors AS theirs "
        "ON theirs.emitter_id = ours.emitter_id AND theirs.event_id = ours.id"
    )
    found = marts.frame(query).iloc[0].to_list()
    assert found == [263, 263]


def test_the_fields_of_all_payloads(marts: Database) -> None:
    known = streams.streams(marts)
    shop = known[(known["name"] == "Shop orders") & (known["channel"] == "")].iloc[0]
    chosen = events.Selection(shop["source_table"], shop["emitter_id"], shop["channel"])
    fields = events.fields(marts, chosen).set_index("path")
    paths = events.paths(marts, chosen).set_index("path")
    assert set(paths.index) <= set(fields.index)
    assert (fields.loc[paths.index, "types"] == paths["types"]).all()
    assert (fields.loc[paths.index, "events"] == paths["events"]).all()
    assert set(fields["drift"]) <= {"steady", "appeared", "vanished", "changed type"}


@pytest.mark.parametrize("name", ["events", "errors"])
def test_notebooks_run_with_them(
    marts: Database, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(name, marts.path)
    assert "The dbt marts in `analytics` are up to date." in capsys.readouterr().out
