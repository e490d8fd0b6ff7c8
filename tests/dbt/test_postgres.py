"""The same models on a Postgres server make the same marts as on a DuckDB file."""

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipedream_source.running.destination.target import Target
from tests.dbt import test_error_groups
from tests.dbt.postgres import Server, server
from tests.dbt.project import OK, frame, running_dbt
from tests.dbt.world import World, five_loads

__all__ = ["server"]
pytestmark = pytest.mark.chaos
# Columns that are the load's own, or depend on how a database writes JSON down.
APART = {"load_id", "loaded_at", "payload_bytes", "shape_id", "example"}
APART |= {"valid_from", "valid_to", "last_snapshot_at", "gap_key"}
MARTS = (
    *("dim_components", "dim_emitters", "fct_completeness", "fct_emitter_hourly", "fct_events"),
    *("fct_error_groups", "fct_gaps", "fct_payload_fields", "fct_subscriptions"),
    *("fct_workflow_errors", "fct_workflow_health"),
)


@pytest.fixture(scope="module")
def served(server: Server, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same five loads, into the server."""
    folder = tmp_path_factory.mktemp("served")
    target = Target(destination="postgres", pipelines_dir=folder / "working")
    environment = {**server.environment, "PIPEDREAM_DBT_TARGET": "postgres"}
    with pytest.MonkeyPatch.context() as patched, running_dbt(folder, environment) as dbt:
        for name, value in server.environment.items():
            patched.setenv(name, value)
        world = five_loads(folder, dbt, target)
        dbt("test", "--exclude-resource-type", "unit_test")
    return world


def rows(server: Server, query: str) -> pd.DataFrame:
    connection = importlib.import_module("psycopg2").connect(server.url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET TIME ZONE 'UTC'; SET search_path = 'analytics'; {query}")
            names = [column.name for column in cursor.description or ()]
            return pd.DataFrame(cursor.fetchall(), columns=names)
    finally:
        connection.close()


def test_all_tests_pass_in_a_first_build(served: World) -> None:
    assert {found["status"] for found in served.first_build} <= set(OK)


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_is_that_of_a_file(mart: str, served: World, server: Server, world: World) -> None:
    found, due = (
        rows(server, f"SELECT * FROM {mart}"),
        frame(world.database, f"SELECT * FROM {mart}"),
    )
    assert list(found.columns) == list(due.columns)
    columns = [name for name in due.columns if name not in APART]
    assert sorted(map(_plain, found[columns].to_dict("records"))) == sorted(
        map(_plain, due[columns].to_dict("records"))
    )


def test_errors_are_grouped_as_the_cases_say(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cases")
    own = replace(server, database="cases")
    connection = importlib.import_module("psycopg2").connect(server.url)
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE cases")
    connection.close()
    target = Target(destination="postgres", pipelines_dir=folder / "working")
    environment = {**own.environment, "PIPEDREAM_DBT_TARGET": "postgres"}
    with pytest.MonkeyPatch.context() as patched, running_dbt(folder, environment) as dbt:
        for name, value in own.environment.items():
            patched.setenv(name, value)
        test_error_groups.load_cases(target)
        dbt("run", "--select", "+fct_workflow_errors")
    test_error_groups.check(rows(own, test_error_groups.RULE))


def _plain(row: Mapping[Any, Any]) -> str:
    """Write a row so that both databases' types read the same."""
    return str({name: _text(value) for name, value in sorted(row.items())})


def _text(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return "json"
    if value is None or value is pd.NaT or pd.isna(value):
        return ""
    if hasattr(value, "isoformat"):
        return str(pd.Timestamp(value).strftime("%Y-%m-%d %H:%M:%S.%f"))
    if isinstance(value, str):
        # Texts of several values are in the order of the database's collation.
        return "json" if value[:2] in ("[{", "[]") else str(sorted(value.split(", ")))
    return f"{float(value):.6f}"
