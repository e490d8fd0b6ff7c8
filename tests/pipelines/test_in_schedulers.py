"""The schedules are run by the schedulers that they are for: `make test-schedules`.

Airflow and Dagster have environments of their own, as they would change half of ours.
"""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipedream_source.cli.schedules.schedulers import Scheduler
from tests.integration.command import Command
from tests.pipelines import written

HERE = Path(__file__).resolve().parent
BESIDE = os.environ.get("SCHEDULERS_BESIDE")
pytestmark = [
    pytest.mark.skipif(BESIDE is None, reason="needs the schedulers: `make test-schedules`"),
    pytest.mark.timeout(600),
]


def tool(environment: str, name: str) -> str:
    return f"{BESIDE}-{environment}/bin/{name}"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(words[0]).parent}:{os.environ['PATH']}"
    kept = {"HOME": environment.get("HOME", "/nonexistent"), "PATH": path, "LANG": "C.UTF-8"}
    return subprocess.run(
        words, env=kept | environment, capture_output=True, text=True, timeout=500, check=False
    )


@pytest.fixture
def folder(command: Command, tmp_path: Path) -> Path:
    """Where the load runs: a path that every quoting has to reckon with."""
    folder = tmp_path / 'it is "mine" & $HOME\'s'
    folder.mkdir()
    return folder


def schedule(command: Command, scheduler: str, folder: Path) -> str:
    pipelines = ("--pipelines-dir", str(folder.parent / "dlt"))
    words = ("schedule", "--every", "90m", "--as", scheduler, "--folder", str(folder), *pipelines)
    done = command.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def events(folder: Path) -> int:
    with duckdb.connect(str(folder / "pipedream_events.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT count(*) FROM pipedream.source_event_summaries")
        return int(found.fetchall()[0][0])


@contextmanager
def another_run_at_work(folder: Path) -> Iterator[None]:
    """Hold the lock of the loads to this database."""
    (lock,) = (folder.parent / "dlt").glob("*/lock")
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def test_airflow(command: Command, folder: Path, tmp_path: Path) -> None:
    assert command.sandbox is not None
    key, home = command.sandbox.api_key, tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    dag = home / "dags" / "pipedream.py"
    dag.write_text(schedule(command, "airflow", folder), encoding="utf-8")
    connection = json.dumps({"conn_type": "generic", "password": key})
    world = {"AIRFLOW_HOME": str(home), "HOME": str(tmp_path), "AIRFLOW_CONN_PIPEDREAM": connection}
    world["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    migrated = run(tool("airflow", "airflow"), "db", "migrate", **world)
    assert migrated.returncode == 0, migrated.stderr
    words = tool("airflow", "python"), str(HERE / "in_airflow.py"), str(dag)
    done = run(*words, **world)
    assert done.stdout.endswith("success success"), done.stdout + done.stderr
    assert events(folder) > 1_000
    with another_run_at_work(folder):
        assert run(*words, **world).stdout.endswith("success skipped")
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert len(texts) > 1
    assert not any(key.encode() in text for text in texts)
    assert key not in done.stdout + done.stderr


def test_dagster(command: Command, folder: Path, tmp_path: Path) -> None:
    assert command.sandbox is not None
    module = tmp_path / "pipedream.py"
    module.write_text(schedule(command, "dagster", folder), encoding="utf-8")
    words = tool("dagster", "python"), str(HERE / "in_dagster.py"), str(module)

    def told(**environment: str) -> dict:
        done = run(*words, HOME=str(tmp_path), **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    key = {"PIPEDREAM_API_KEY": command.sandbox.api_key}
    first = told(**key)
    assert first["success"], first
    assert first["cron"] == ["0 */3 * * *", "30 1-23/3 * * *"]
    assert first["metadata"][0]["rows"]["source_event_summaries"] == events(folder)
    with another_run_at_work(folder):
        busy = told(**key)
        assert (busy["success"], busy["metadata"][0]["exit_code"]) == (True, 75)
    without_a_key = told()
    assert not without_a_key["success"]
    assert "No API key" in without_a_key["failures"][0]


@pytest.mark.parametrize("flags", [(), ("--destination", "postgres"), ("--every", "90m")])
def test_the_workflow_obeys_its_schema(
    command: Command, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    done = command.run(*written.words(Scheduler.GITHUB), *flags)
    assert done.returncode == 0, done.stderr
    workflow = tmp_path / "workflow.yml"
    check = tool("check-jsonschema", "check-jsonschema")
    schema = ("--builtin-schema", "vendor.github-workflows")
    for text, is_valid in ((done.stdout, True), (done.stdout.replace("runs-on", "runs"), False)):
        workflow.write_text(text, encoding="utf-8")
        checked = run(check, *schema, str(workflow))
        assert (checked.returncode == 0) is is_valid, checked.stdout
