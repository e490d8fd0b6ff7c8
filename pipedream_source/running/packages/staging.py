"""A staging dataset for each working folder, so that loads at the same time do not mix.

dlt merges by way of a staging dataset whose name follows from the dataset's alone: two loads from
two folders empty and fill the same tables, and each merges what the other left there. A folder's
own name is kept in a note, as a rerun has to find what a killed load copied.

A folder without a future, such as a container's, drops its dataset at the end of its first load;
one that is killed before leaves it behind. So names hold the day on which they were made: a folder
takes a new one each month, and whatever is older than two months belongs to nobody.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dlt
from dlt.common.destination.client import DestinationClientDwhConfiguration
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.running.packages.drain import has_begun
from pipedream_source.running.packages.load_turns import turn
from pipedream_source.running.packages.package_folders import pending_packages

_LOG = logging.getLogger("pipedream_source")
_SETTING = "staging_dataset_name_layout"
_NOTE = "staging"
_NAME = re.compile(r"staging_(\d{8})_[0-9a-f]{8}").fullmatch
_RENEWED_AFTER = timedelta(days=30)
_STALE_AFTER = timedelta(days=60)


@contextmanager
def exclusive_load(pipeline: dlt.Pipeline, wait_s: float = 600.0) -> Iterator[None]:
    """Load from a script while others may load to the same dataset; see `docs/destinations.md`.

    Enclose everything that loads, pending packages too. On Postgres one load at a time is at work
    on a dataset; elsewhere loads have staging datasets of their own, and nothing more.

    Args:
        pipeline: has its destination and its dataset.
        wait_s: seconds to wait for another load to end.

    Raises:
        DestinationUnavailable: another load is at work for longer.
    """
    with own_staging(pipeline), turn(pipeline, wait_s):
        yield


@contextmanager
def own_staging(pipeline: dlt.Pipeline, *, folder: Path | None = None) -> Iterator[None]:
    """Load by way of a staging dataset that no other working folder uses, while the block runs.

    A name that the user set in dlt's configuration or on the destination stays, and a destination
    without staging is left alone.

    Args:
        pipeline: has its destination and its dataset.
        folder: keeps the note of the name; by default the pipeline's working folder.
    """
    if not _is_ours_to_set(pipeline):
        yield
        return
    note = (folder or Path(pipeline.working_dir)) / _NOTE
    today = datetime.now(UTC).date()
    known = _noted(note)
    name = known
    if not _is_midway(pipeline) and (known is None or _made_on(known) + _RENEWED_AFTER < today):
        name = f"staging_{today:%Y%m%d}_{secrets.token_hex(4)}"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(name, encoding="utf-8")
    if name is not None:
        pipeline.destination.config_params[_SETTING] = f"%s_{name}"
    yield
    if name != known and not _is_midway(pipeline):
        _clean_up(pipeline, today)


def _is_midway(pipeline: dlt.Pipeline) -> bool:
    """Tell whether a load was killed or failed midway: its copies are under the name it had."""
    return any(has_begun(package) for package in pending_packages(Path(pipeline.working_dir)))


def _is_ours_to_set(pipeline: dlt.Pipeline) -> bool:
    destination = pipeline.destination
    if destination is None or not issubclass(destination.spec, DestinationClientDwhConfiguration):
        return False
    if not issubclass(destination.client_class, SqlJobClientBase):
        return False
    given = destination.config_params.get(_SETTING)
    if given is not None:
        return _NAME(str(given).removeprefix("%s_")) is not None
    places = ("destination", f"destination.{destination.destination_name}")
    return all(dlt.config.get(f"{place}.{_SETTING}") is None for place in places)


def _noted(note: Path) -> str | None:
    try:
        text = note.read_text(encoding="utf-8")
        _made_on(text)
    except (OSError, ValueError):
        return None
    return text


def _made_on(name: str) -> date:
    """Return the day on which a name was made.

    Raises:
        ValueError: it is no such name.
    """
    match = _NAME(name)
    if match is None:
        raise ValueError(name)
    return datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC).date()


def _clean_up(pipeline: dlt.Pipeline, today: date) -> None:
    """Drop this folder's dataset, which the next load makes again, and those of nobody."""
    try:
        with pipeline.sql_client() as sql:
            prefix = f"{sql.dataset_name}_"
            for name in _datasets(sql):
                suffix = name.removeprefix(prefix)
                if name == sql.staging_dataset_name or (
                    name != suffix and _is_stale(suffix, today)
                ):
                    with sql.with_alternative_dataset_name(name):
                        sql.drop_dataset()
    except Exception as error:
        # A server may not allow it. The rows are loaded, and nothing is lost.
        _LOG.debug("staging datasets stay: %s", error)


def _is_stale(suffix: str, today: date) -> bool:
    try:
        return _made_on(suffix) + _STALE_AFTER < today
    except ValueError:
        return False


def _datasets(sql: SqlClientBase[object]) -> list[str]:
    found = sql.execute_sql("SELECT DISTINCT schema_name FROM information_schema.schemata")
    return [str(name) for (name,) in found or ()]
