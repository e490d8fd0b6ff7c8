"""Load Pipedream's events every 15m, as an asset of Dagster with its job and its schedule.

The key is PIPEDREAM_API_KEY in the environment of Dagster's code server: in a `.env` file beside it
that only its owner may read (chmod 600), or a variable of the deployment. Or it stands in
`.dlt/secrets.toml` in FOLDER.

The database and dlt's working folder are files: every run must be on the machine that has them.
"""

import json
import subprocess

import dagster as dg

COMMAND = [
    "/home/you/pipedream/.venv/bin/pipedream-source",
    "load",
    "--database",
    "/home/you/pipedream/pipedream_events.duckdb",
    "--json",
]
FOLDER = "/home/you/pipedream"
BUSY = 75  # another run is loading to the same place: no failure


@dg.asset
def pipedream_events() -> dg.MaterializeResult:
    """Every event, emit and error of a Pipedream workspace."""
    done = subprocess.run(COMMAND, cwd=FOLDER, stdout=subprocess.PIPE, check=False)
    report = json.loads(done.stdout or "{}")
    told = {name: report.get(name) for name in ("rows", "streams", "gaps", "lost", "warnings")}
    told |= {"exit_code": done.returncode}
    if done.returncode not in (0, BUSY):
        why = report.get("error") or f"pipedream-source ended with {done.returncode}"
        raise dg.Failure(why, metadata=told)
    return dg.MaterializeResult(metadata=told)


job = dg.define_asset_job("load_pipedream_events", [pipedream_events])
schedule = dg.ScheduleDefinition(
    job=job,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
defs = dg.Definitions(assets=[pipedream_events], jobs=[job], schedules=[schedule])
