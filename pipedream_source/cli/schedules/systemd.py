"""A service and its timer for systemd, version 240 or newer, as units of a user."""

from __future__ import annotations

from collections.abc import Sequence

from pipedream_source.cli.schedules.job import File, Job, fill
from pipedream_source.cli.schedules.periods import at_least, plain

_SERVICE = """\
# Load Pipedream's events once; pipedream-source.timer starts it every [[every]].
#
# Put both files into ~/.config/systemd/user/, then:
#   systemctl --user daemon-reload
#   systemctl --user enable --now pipedream-source.timer
#   loginctl enable-linger            # so that it runs while you are logged out, too
# Look: systemctl --user list-timers, journalctl --user -u pipedream-source
#
# For the whole machine put them into /etc/systemd/system/ and add User= to [Service].

[Unit]
Description=Load Pipedream's events
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory=[[folder]]
# The key: in this file, which only its owner may read (chmod 600), as PIPEDREAM_API_KEY=...
# Or in .dlt/secrets.toml in the working directory; the file may be missing then.
EnvironmentFile=-[[folder]]/.env
ExecStart=[[command]]
# 75: another run is loading to the same place.
SuccessExitStatus=75
UMask=0077
NoNewPrivileges=yes
"""

_TIMER = """\
# Start pipedream-source.service every [[every]], counted from start to start. It never runs twice
# at a time: if a load takes longer, the next one starts when it ends.

[Unit]
Description=Load Pipedream's events every [[every]]

[Timer]
OnActiveSec=5s
OnUnitActiveSec=[[seconds]]s
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def files(job: Job) -> list[File]:
    """Return both units.

    Raises:
        ConfigurationError: the period is too short.
    """
    at_least(job.every_s, 1, "systemd")
    values = {
        "every": job.every,
        "seconds": plain(job.every_s),
        "folder": _without_specifiers(str(job.folder)),
        "command": command_line(job.words("--quiet")),
    }
    return [
        File("pipedream-source.service", fill(_SERVICE, values)),
        File("pipedream-source.timer", fill(_TIMER, values)),
    ]


def command_line(words: Sequence[str]) -> str:
    """Quote a command as systemd.service(5) says ("Command lines").

    The program's path takes specifiers, but no variables, and is refused with quotes in it; the
    other words take all of these.
    """
    start = ["/usr/bin/env"] if set(words[0]) & set("\"'\\$") else []
    program, *others = map(_without_specifiers, [*start, *words])
    return " ".join([_quoted(program), *(_quoted(word.replace("$", "$$")) for word in others)])


def _without_specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    if word and not set(word) & set(" \t\"'\\;"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
