"""A property list for launchd, on macOS."""

from __future__ import annotations

from pipedream_source.cli.schedules.job import File, Job, fill
from pipedream_source.cli.schedules.periods import at_least

_LABEL = "pipedream-source.load"
# launchd waits ten seconds between two starts of a job unless it is told otherwise.
_LEAST_S = 10

_COMMENT = """\
<!--
Load Pipedream's events every [[every]]. Put this file into ~/Library/LaunchAgents/, then:
  launchctl bootstrap gui/$UID ~/Library/LaunchAgents/[[label]].plist
  launchctl print gui/$UID/[[label]]
It runs while you are logged in, and at once after the machine was asleep.

The key: in .dlt/secrets.toml in the working directory, for you alone (chmod 600):
  [sources.pipedream]
  api_key = "..."

launchd starts no second run while one is at work. What went wrong is in load.log there.
-->
"""


def files(job: Job) -> list[File]:
    """Return the agent.

    Raises:
        ConfigurationError: the period is too short.
    """
    import plistlib

    at_least(job.every_s, _LEAST_S, "launchd")
    log = str(job.folder / "load.log")
    agent = {
        "Label": _LABEL,
        "ProgramArguments": job.words("--quiet"),
        "WorkingDirectory": str(job.folder),
        "StartInterval": round(job.every_s),
        "RunAtLoad": True,
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "Umask": 0o077,
    }
    text = plistlib.dumps(agent, sort_keys=False).decode()
    comment = fill(_COMMENT, {"every": job.every, "label": _LABEL})
    return [File(f"{_LABEL}.plist", text.replace("<plist ", f"{comment}<plist ", 1))]
