"""The project after a load (`load --then`), and as a package of another project."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipedream_source.sandbox import Sandbox
from tests.dbt.project import DATABASE, FOLDER, frame
from tests.dbt.world import World, copied
from tests.integration.command import Command

DBT = Path(sys.executable).with_name("dbt")
PROJECT = """
name: warehouse
version: "1.0"
profile: warehouse
flags: {send_anonymous_usage_stats: false}
vars:
  pipedream: {pipedream_time_zone: America/New_York, pipedream_new_days: 3}
models:
  pipedream:
    marts: {+schema: marts}
"""
PROFILE = """
warehouse:
  target: dev
  outputs: {dev: {type: duckdb, path: "%s", schema: dev}}
"""
MODEL = "select emitter_id, count(*) as events from {{ ref('pipedream', 'fct_events') }} group by 1"


def test_after_a_load_under_its_lock(tmp_path: Path) -> None:
    folders = ["--project-dir", str(FOLDER), "--profiles-dir", str(FOLDER)]
    scratch = ["--target-path", str(tmp_path / "t"), "--log-path", str(tmp_path / "t")]
    then = shlex.join([str(DBT), "run", "--select", "+dim_components", *folders, *scratch])
    with Sandbox(seed=7) as sandbox:
        command = Command(tmp_path, sandbox)
        done = command.run("load", "--json", "--database", DATABASE, "--then", then)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["loaded"]
    assert len(frame(tmp_path / DATABASE, "SELECT * FROM dim_components")) == 16


def shell_of_make_dbt(database: Path, word: str) -> list[str]:
    """Return the command of `make dbt` that has a word, without running make."""
    line = ["make", "-n", "dbt", f"VENV={Path(sys.prefix)}", f"PIPEDREAM_DATABASE={database}"]
    recipe = subprocess.run(
        line, cwd=FOLDER.parent, capture_output=True, text=True, timeout=60, check=True
    )
    commands = recipe.stdout.replace("\\\n", "").splitlines()
    (command,) = (command for command in commands if word in command)
    return ["sh", "-c", command]


def test_make_dbt_writes_no_demo_into_a_database_that_was_named(tmp_path: Path) -> None:
    command = shell_of_make_dbt(tmp_path / "typed-wrong.duckdb", "does not exist")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Load into it first" in done.stderr) == (2, True)


@pytest.mark.chaos
def test_make_dbt_says_that_the_last_load_is_old(world: World, tmp_path: Path) -> None:
    database = copied(world.database, tmp_path / "database")
    with duckdb.connect(str(database)) as connection:
        connection.execute("UPDATE pipedream.load_runs SET finished_at = '2026-01-01'")
    *shell, command = shell_of_make_dbt(database, "source freshness")
    scratch = f" --target-path {tmp_path / 't'} --log-path {tmp_path / 't'}"
    done = subprocess.run(
        [*shell, command + scratch],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert "WARN freshness of pipedream.load_runs" in done.stdout, done.stdout + done.stderr


@pytest.mark.chaos
def test_as_a_package_of_another_project(world: World, tmp_path: Path) -> None:
    """All its tests hold there too, with another time zone and other schemas."""
    database = copied(world.database, tmp_path / "database")
    other = tmp_path / "other"
    (other / "models").mkdir(parents=True)
    (other / "dbt_project.yml").write_text(PROJECT)
    (other / "profiles.yml").write_text(PROFILE % database)
    (other / "packages.yml").write_text(json.dumps({"packages": [{"local": str(FOLDER)}]}))
    (other / "models" / "counts.sql").write_text(MODEL)
    for words in (["deps"], ["build"]):
        done = subprocess.run(
            [str(DBT), "--quiet", *words],
            cwd=other,
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    (counted,) = frame(database, "SELECT sum(events) AS n FROM dev.counts").n
    assert counted == len(frame(database, "SELECT * FROM dev_marts.fct_events"))
