"""The schedulers that a schedule can be written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from pipedream_source.cli.schedules import (
    airflow,
    cron,
    dagster,
    github,
    launchd,
    systemd,
    windows,
)
from pipedream_source.cli.schedules.job import File, Job


class Scheduler(StrEnum):
    """What runs the load again and again."""

    CRON = "cron"
    SYSTEMD = "systemd"
    GITHUB = "github"
    AIRFLOW = "airflow"
    DAGSTER = "dagster"
    LAUNCHD = "launchd"
    WINDOWS = "windows"


_FILES: Mapping[Scheduler, Callable[[Job], list[File]]] = {
    Scheduler.CRON: cron.files,
    Scheduler.SYSTEMD: systemd.files,
    Scheduler.GITHUB: github.files,
    Scheduler.AIRFLOW: airflow.files,
    Scheduler.DAGSTER: dagster.files,
    Scheduler.LAUNCHD: launchd.files,
    Scheduler.WINDOWS: windows.files,
}


def files_for(scheduler: Scheduler, job: Job) -> list[File]:
    """Return the files that a scheduler needs to run a job.

    Raises:
        ConfigurationError: it cannot run this.
    """
    return _FILES[scheduler](job)
