"""Runs a file's job to its end and asks its schedule; a program for Dagster's environment."""

import json
import runpy
import sys

if __name__ == "__main__":
    found = runpy.run_path(sys.argv[1])
    job = found["defs"].resolve_job_def("load_pipedream_events")
    done = job.execute_in_process(raise_on_error=False)
    made = [e.materialization.metadata for e in done.all_events if e.is_step_materialization]
    failed = [e.step_failure_data.user_failure_data for e in done.all_events if e.is_step_failure]
    told = {
        "success": done.success,
        "metadata": [{name: value.value for name, value in one.items()} for one in made],
        "failures": [one.description for one in failed],
        "cron": found["schedule"].cron_schedule,
    }
    sys.stdout.write(f"\n{json.dumps(told)}")
