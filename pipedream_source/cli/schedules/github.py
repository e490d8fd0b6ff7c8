"""A workflow for GitHub Actions.

A runner starts empty. A server as destination brings the cursors back by itself; a DuckDB file
must be kept between runs, here in Actions' cache.
"""

from __future__ import annotations

import shlex

from pipedream_source.cli.schedules.job import File, Job, fill, refuse
from pipedream_source.cli.schedules.periods import at_least, cron_expressions

_LEAST_S = 5 * 60
# "The start of every hour" is when GitHub says that schedules are delayed or dropped.
_FIRST = 3

_TEXT = """\
# Load Pipedream's events every [[every]]. Put this file into `.github/workflows/` of a PRIVATE
# repository that holds pipedream-source.
#
# The key: Settings, Secrets and variables, Actions, "New repository secret" PIPEDREAM_API_KEY. It
# is handed to one step alone.
#
# When GitHub is busy it starts schedules late or leaves some out: choose a period with room, or
# another scheduler. In a public repository it turns them off after 60 days without a commit.
[[state]]
name: Load Pipedream's events

on:
  schedule:
[[crons]]
  workflow_dispatch:

permissions:
  contents: read

# One run at a time; one that is at work is never cut short.
concurrency:
  group: pipedream-source
  cancel-in-progress: false

jobs:
  load:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-python@v6
        with:
          python-version: "3.12"
      - run: pip install [[package]]
[[before]]      - name: Load
        env:
          PIPEDREAM_API_KEY: ${{ secrets.PIPEDREAM_API_KEY }}
[[credentials]]        # 75: another run is loading to the same place.
        run: |
          [[command]] || [ $? -eq 75 ]
[[after]]"""

_CACHED = """\
#
# The database and dlt's working folder travel in Actions' cache. A cache is never changed, so each
# run saves a new one, and the next takes the newest. GitHub removes caches that nobody read for 7
# days, and the oldest ones beyond 10 GB of a repository. WITHOUT ITS CACHE A RUN STARTS FROM
# NOTHING: what was loaded is gone, and nobody can tell what was lost since; a warning says so. So
# download the database now and then (a run started by hand hands it out), or better, load to a
# server: `--destination`. Whoever can open a pull request can read the cache, hence PRIVATE."""

_RESTORE = """\
      - name: Take the newest database
        id: newest
        uses: actions/cache/restore@v5
        with:
          path: |
[[paths]]
          key: pipedream-source-${{ github.run_id }}-${{ github.run_attempt }}
          restore-keys: pipedream-source-
      - name: Tell of a database that is not there
        if: steps.newest.outputs.cache-matched-key == ''
        run: >-
          echo "::warning title=No database was kept::This is the first run, or the cache is gone:
          loading starts from nothing, and what was lost since the last run is not known."
"""

_SAVE = """\
      - name: Keep the database
        # Also after a load that failed: what it polled waits in the working folder.
        if: always() && steps.newest.outcome == 'success'
        uses: actions/cache/save@v5
        with:
          path: |
[[paths]]
          key: pipedream-source-${{ github.run_id }}-${{ github.run_attempt }}
      - name: Hand the database out, when started by hand
        if: always() && github.event_name == 'workflow_dispatch'
        uses: actions/upload-artifact@v4
        with:
          name: pipedream-database
          path: [[artifact]]
"""

_SERVED = """\
#
# The destination keeps the cursors too, so a runner needs nothing of the run before. Credentials
# are another secret, DESTINATION_CREDENTIALS: postgresql://user:password@host:5432/database."""

_CREDENTIALS = """\
          DESTINATION__[[name]]__CREDENTIALS: ${{ secrets.DESTINATION_CREDENTIALS }}
"""


def files(job: Job) -> list[File]:
    """Return the workflow.

    Raises:
        ConfigurationError: GitHub cannot run this.
    """
    at_least(job.every_s, _LEAST_S, "GitHub")
    refuse(job, "GitHub", ("${{",), "would evaluate")
    refuse(job, "GitHub", ("*", "?", "["), "would take for a pattern of files to keep")
    crons = cron_expressions(job.every_s, "GitHub", first=_FIRST)
    words = ["pipedream-source", *job.words(in_folder=True)[len(job.command) :]]
    values = {
        "every": job.every,
        "crons": "\n".join(f'    - cron: "{expression}"' for expression in crons),
        "command": shlex.join(words),
        **(_kept(job) if job.database else _elsewhere(job)),
    }
    return [File("pipedream-source.yml", fill(_TEXT, values))]


def _kept(job: Job) -> dict[str, str]:
    """Return the parts of a workflow that carries a DuckDB file from run to run."""
    words = job.words(in_folder=True)
    database = words[words.index("--database") + 1]
    kept = [database, f"{database}.wal", f"{database}.dlt"]
    if "--pipelines-dir" in words:
        kept[2] = words[words.index("--pipelines-dir") + 1]
    paths = {"paths": "\n".join(f"            {path}" for path in kept)}
    return {
        "state": _CACHED,
        "package": ".",
        "before": fill(_RESTORE, paths),
        "credentials": "",
        "after": fill(_SAVE, paths | {"artifact": _yaml(database)}),
    }


def _elsewhere(job: Job) -> dict[str, str]:
    """Return the parts of a workflow that loads to a server."""
    return {
        "state": _SERVED,
        "package": f". 'dlt[{job.destination}]'",
        "before": "",
        "credentials": fill(_CREDENTIALS, {"name": job.destination.upper()}),
        "after": "",
    }


def _yaml(text: str) -> str:
    """Quote a text for YAML, which doubles a single quote."""
    return "'" + text.replace("'", "''") + "'"
