"""A DAG for Airflow 3, where `BashOperator` belongs to the standard provider."""

from __future__ import annotations

from pipedream_source.cli.schedules.job import File, Job, fill, refuse
from pipedream_source.cli.schedules.periods import at_least, plain
from pipedream_source.cli.schedules.python_text import listed
from pipedream_source.exceptions import ConfigurationError

_TEXT = '''\
"""Load Pipedream's events every [[every]], as a DAG of Airflow 3.

The key is the password of a connection named `pipedream` (type: generic), made in Airflow's pages
or kept in a secrets backend. Airflow stores it encrypted, and masks it in logs and templates.

The database and dlt's working folder are files: every run must be on the machine that has them.
"""

import shlex
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

COMMAND = [[command]]
FOLDER = [[folder]]

with DAG(
    "pipedream_source",
    description="Load Pipedream's events",
    schedule=timedelta(seconds=[[seconds]]),
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["pipedream"],
) as dag:
    BashOperator(
        task_id="load",
        bash_command=shlex.join(COMMAND),
        cwd=FOLDER,
        env={"PIPEDREAM_API_KEY": "{{ conn.pipedream.password }}"},
        append_env=True,
        # Another run, by hand for example, is loading to the same place: no failure.
        skip_on_exit_code=75,
    )
'''


def files(job: Job) -> list[File]:
    """Return the DAG.

    Raises:
        ConfigurationError: Airflow cannot run this.
    """
    at_least(job.every_s, 60, "Airflow")
    refuse(job, "Airflow", ("{{", "{%", "{#"), "would render")
    if job.folder.suffix in (".sh", ".bash"):
        raise ConfigurationError(
            f"Airflow takes a folder whose name ends in {job.folder.suffix} for a script"
        )
    values = {
        "every": job.every,
        "seconds": plain(job.every_s),
        "command": listed(job.words("--quiet")),
        "folder": listed(str(job.folder)),
    }
    return [File("airflow_pipedream.py", fill(_TEXT, values))]
