"""An asset, its job and its schedule for Dagster."""

from __future__ import annotations

from pipedream_source.cli.schedules.job import File, Job, fill
from pipedream_source.cli.schedules.periods import cron_expressions
from pipedream_source.cli.schedules.python_text import listed

_TEXT = '''\
"""Load Pipedream's events every [[every]], as an asset of Dagster with its job and its schedule.

The key is PIPEDREAM_API_KEY in the environment of Dagster's code server: in a `.env` file beside it
that only its owner may read (chmod 600), or a variable of the deployment. Or it stands in
`.dlt/secrets.toml` in FOLDER.

The database and dlt's working folder are files: every run must be on the machine that has them.
"""

import json
import subprocess

import dagster as dg

COMMAND = [[command]]
FOLDER = [[folder]]
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
    cron_schedule=[[crons]],
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
defs = dg.Definitions(assets=[pipedream_events], jobs=[job], schedules=[schedule])
'''


def files(job: Job) -> list[File]:
    """Return the module.

    Raises:
        ConfigurationError: Dagster cannot run this.
    """
    crons = cron_expressions(job.every_s, "Dagster")
    values = {
        "every": job.every,
        "command": listed(job.words("--json")),
        "folder": listed(str(job.folder)),
        "crons": listed(crons[0]) if len(crons) == 1 else listed(crons).replace("\n", "\n    "),
    }
    return [File("dagster_pipedream.py", fill(_TEXT, values))]
