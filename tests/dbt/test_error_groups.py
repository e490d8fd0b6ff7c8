"""Errors are grouped by the cases that the notebook is tested with too, old errors as well."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipedream_source.running.destination.target import Target
from pipedream_source.sandbox import Sandbox
from tests import error_cases
from tests.dbt.project import DATABASE, Dbt, frame
from tests.dbt.world import World, copied, loaded

MARTS = ("fct_workflow_errors", "fct_error_groups")
RULE = """
SELECT event_id, message_normalised, top_frame, fingerprint FROM fct_workflow_errors
ORDER BY CAST(split_part(event_id, '-', 2) AS INTEGER)
"""


def load_cases(target: Target) -> None:
    """Load the cases as errors of one workflow, 100 at a time, in their order."""
    with Sandbox(seed=7) as sandbox:
        (workflow,) = sandbox.add_emitters(1, type="workflow")
        only = {"source_ids": [], "workflow_ids": [workflow], "discover": False}
        for number, (payload, _) in enumerate(error_cases.cases()):
            event_id = f"1793610000000-{number}"
            sandbox.emit(workflow, "$errors", event_text=payload, id=event_id)
            if number % 90 == 89:
                assert loaded(sandbox, target, **only) == 0
        assert loaded(sandbox, target, **only) == 0


def check(found: pd.DataFrame) -> None:
    """Check the rows of `RULE`."""
    texts = [payload for payload, _ in error_cases.cases()]
    rows = found.astype(object).where(found.notna(), None).itertuples(index=False, name=None)
    named = [(texts[int(event_id.split("-")[1])], *parts) for event_id, *parts in rows]
    error_cases.check(named)


def test_errors_are_grouped_as_the_cases_say(dbt: Dbt, tmp_path: Path) -> None:
    database = tmp_path / DATABASE
    load_cases(Target(database=database))
    dbt("run", "--select", "+fct_workflow_errors", database=database)
    check(frame(database, RULE))


@pytest.mark.parametrize("pruned", [False, True])
def test_rows_of_an_older_rule_are_judged_again(
    dbt: Dbt, world: World, tmp_path: Path, *, pruned: bool
) -> None:
    """Also those of a table from before rules had numbers, and those whose payloads are gone."""
    older = copied(world.database, tmp_path / "older")
    with duckdb.connect(str(older)) as connection:
        connection.execute("SET search_path = 'analytics,pipedream'")
        connection.execute("ALTER TABLE fct_workflow_errors DROP COLUMN fingerprint_rule")
        connection.execute(
            "UPDATE fct_workflow_errors SET fingerprint = 'older', message_normalised = ''"
        )
        if pruned:
            connection.execute("UPDATE workflow_errors SET event = NULL, event_state = 'pruned'")
    dbt("run", "--select", " ".join(MARTS), database=older)
    for name in MARTS:
        due, found = (
            frame(database, f"SELECT * FROM {name} ORDER BY ALL")
            for database in (world.database, older)
        )
        pd.testing.assert_frame_equal(found, due, obj=name)
