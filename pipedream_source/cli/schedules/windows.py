"""A task for Windows' Task Scheduler, which runs the command in WSL.

Windows itself has no `flock`, on which the command's lock rests.
"""

from __future__ import annotations

import re
import struct
import subprocess
from itertools import zip_longest

from pipedream_source.cli.schedules.job import File, Job, fill
from pipedream_source.cli.schedules.periods import at_least

_TEXT = """\
# Load Pipedream's events every [[every]], in WSL: the command does not run on Windows itself.
#
# Run this once in PowerShell: powershell -ExecutionPolicy Bypass -File pipedream-source.ps1
# The paths are those of your default distribution; `--distribution NAME` after the first quote of
# -Argument takes another. The task runs while you are logged in.
#
# The key: in .dlt/secrets.toml in that folder of WSL, for you alone (chmod 600):
#   [sources.pipedream]
#   api_key = "..."
#
# Exit code 75 (0x4B in the list of tasks): another run is loading to the same place, no failure.

$action = New-ScheduledTaskAction -Execute 'wsl.exe' -Argument [[argument]]
$trigger = New-ScheduledTaskTrigger -Once -At (Get-Date) `
    -RepetitionInterval (New-TimeSpan -Seconds [[seconds]])
$settings = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -StartWhenAvailable `
    -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -ExecutionTimeLimit (New-TimeSpan -Hours 1)
Register-ScheduledTask -TaskName 'pipedream-source load' -Action $action -Trigger $trigger `
    -Settings $settings -Description 'Loads the events of Pipedream' -Force
"""


def files(job: Job) -> list[File]:
    """Return the script that registers the task.

    Raises:
        ConfigurationError: the period is too short.
    """
    at_least(job.every_s, 60, "Windows' Task Scheduler")
    words = ["--cd", str(job.folder), "--exec", *job.words("--quiet")]
    argument = _quoted(subprocess.list2cmdline(words))
    values = {"every": job.every, "seconds": round(job.every_s), "argument": argument}
    return [File("pipedream-source.ps1", fill(_TEXT, values))]


def _quoted(text: str) -> str:
    """Quote a text for PowerShell, in ASCII alone.

    Windows' own PowerShell reads a file without a mark in the machine's code page, and any
    PowerShell takes typographic quotes for quotes.
    """
    pieces = re.split(r"([^\x00-\x7f]+)", text)
    plain = ["'" + piece.replace("'", "''") + "'" for piece in pieces[::2]]
    coded = [" + ".join(f"[char]0x{unit:04x}" for unit in _units(piece)) for piece in pieces[1::2]]
    found = [word for pair in zip_longest(plain, coded) for word in pair if word]
    return found[0] if len(found) == 1 else f"({' + '.join(found)})"


def _units(text: str) -> tuple[int, ...]:
    """Return a text's units of UTF-16, of which Windows' characters are made."""
    data = text.encode("utf-16-le")
    return struct.unpack(f"<{len(data) // 2}H", data)
