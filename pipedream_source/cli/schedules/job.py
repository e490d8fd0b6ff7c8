"""What is to run, how often, and the text that a scheduler takes for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipedream_source.cli.schedules.periods import written
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import DATABASE, DATASET

if TYPE_CHECKING:
    from pipedream_source.running.destination.target import Target

_PLACE = re.compile(r"\[\[(\w+)\]\]")


class File(NamedTuple):
    """A file of a schedule.

    Attributes:
        name: as the scheduler wants it to be called.
        text: what stands in it.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Job:
    """A load that is to run again and again.

    Attributes:
        every_s: seconds from one start to the next.
        command: the words that call `pipedream-source`; the first is an absolute path.
        folder: absolute; it runs there, and dlt looks for `.dlt/` there.
        database: the DuckDB file, absolute; None when the rows go elsewhere.
        destination: name of a dlt destination.
        dataset: name of the dataset.
        pipelines_dir: absolute folder for dlt's working folders; None for the default.
        flags: further words for `load`.
    """

    every_s: float
    command: tuple[str, ...]
    folder: Path
    database: Path | None
    destination: str = "duckdb"
    dataset: str = DATASET
    pipelines_dir: Path | None = None
    flags: tuple[str, ...] = ()

    @property
    def every(self) -> str:
        """The period in words, such as `15m`."""
        return written(self.every_s)

    def target(self) -> Target:
        """Return where the rows go."""
        from pipedream_source.running.destination.target import Target

        file = self.database or Path(DATABASE)
        return Target(self.destination, file, self.dataset, self.pipelines_dir)

    def words(self, *more: str, in_folder: bool = False) -> list[str]:
        """Return the words of the command, ready to be quoted.

        Args:
            more: flags that this scheduler needs.
            in_folder: name the files by their place in the folder, for another machine.
        """
        found = [*self.command, "load"]
        if self.database:
            found += ["--database", self._named(self.database, in_folder)]
        else:
            found += ["--destination", self.destination]
        if self.dataset != DATASET:
            found += ["--dataset", self.dataset]
        if self.pipelines_dir:
            found += ["--pipelines-dir", self._named(self.pipelines_dir, in_folder)]
        return [*found, *self.flags, *more]

    def _named(self, path: Path, in_folder: bool) -> str:
        if not in_folder:
            return str(path)
        inside = path.is_relative_to(self.folder)
        return str(path.relative_to(self.folder)) if inside else path.name


def fill(template: str, values: Mapping[str, object]) -> str:
    """Put values into the places of a template, such as `[[folder]]`; each place needs one."""
    return _PLACE.sub(lambda match: str(values[match[1]]), template)


def refuse(job: Job, scheduler: str, texts: tuple[str, ...], why: str) -> None:
    """Refuse a job whose words hold what a scheduler cannot take.

    Args:
        job: whose words and folder are looked at.
        scheduler: its name, for the message.
        texts: what they must not hold.
        why: what would become of it.

    Raises:
        ConfigurationError: names the word.
    """
    for word in (*job.words(), str(job.folder)):
        for text in texts:
            if text in word:
                raise ConfigurationError(
                    f"{word!r} holds {text!r}, which {scheduler} {why}: use another path, or "
                    "another --as"
                )
