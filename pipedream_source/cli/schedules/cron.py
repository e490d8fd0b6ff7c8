"""A line for crontab(5), on Linux, macOS and other Unix systems."""

from __future__ import annotations

import shlex

from pipedream_source.cli.schedules.job import File, Job, fill, refuse
from pipedream_source.cli.schedules.periods import cron_expressions
from pipedream_source.exceptions import ConfigurationError

# Vixie's cron drops a line whose command is longer.
_MOST_CHARS = 998

_TEXT = """\
# Load Pipedream's events every [[every]]. Add these lines with `crontab -e`.
#
# The key: cron hands no variables on, so it stands in [[secrets]]
# (chmod 600), which dlt reads as the load runs in that folder:
#   [sources.pipedream]
#   api_key = "..."
#
# --quiet leaves only what went wrong: in load.log there, and in a mail where cron can send one.
# If a load takes longer than the period, the next one finds it at work, says so in load.log and
# ends with 75: no failure, and the one after it runs.
[[lines]]
"""


def files(job: Job) -> list[File]:
    """Return the lines.

    Raises:
        ConfigurationError: cron cannot run this.
    """
    refuse(job, "cron", ("\\",), "may drop")
    command = (
        f"umask 077; cd {shlex.quote(str(job.folder))} && "
        f"{shlex.join(job.words('--quiet'))} 2>&1 | tee -a load.log"
    )
    # "Percent-signs (%) in the command, unless escaped with backslash, will be changed into
    # newline characters": crontab(5).
    escaped = command.replace("%", "\\%")
    if len(escaped) > _MOST_CHARS:
        raise ConfigurationError(
            f"The command has {len(escaped):,} characters, and cron takes {_MOST_CHARS}: use "
            "shorter paths, or --as systemd"
        )
    lines = [f"{expression} {escaped}" for expression in cron_expressions(job.every_s, "cron")]
    values = {"every": job.every, "secrets": job.folder / ".dlt/secrets.toml"}
    return [File("pipedream-source.cron", fill(_TEXT, {**values, "lines": "\n".join(lines)}))]
