"""Load Pipedream's events every 15m, as a DAG of Airflow 3.

The key is the password of a connection named `pipedream` (type: generic), made in Airflow's pages
or kept in a secrets backend. Airflow stores it encrypted, and masks it in logs and templates.

The database and dlt's working folder are files: every run must be on the machine that has them.
"""

import shlex
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

COMMAND = [
    "/home/you/pipedream/.venv/bin/pipedream-source",
    "load",
    "--database",
    "/home/you/pipedream/pipedream_events.duckdb",
    "--quiet",
]
FOLDER = "/home/you/pipedream"

with DAG(
    "pipedream_source",
    description="Load Pipedream's events",
    schedule=timedelta(seconds=900),
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
