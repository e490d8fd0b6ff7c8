"""Each list of accepted values holds every value that its column can take, and no other."""

import re
from collections.abc import Iterator

import pytest

from pipedream_source.core.completeness.proof import Standing
from pipedream_source.core.polls.window import GAP_VERDICTS, Verdict
from pipedream_source.core.streams.absence import ENDED
from pipedream_source.core.streams.stream_state import Begin
from pipedream_source.running.maintenance.prune import PRUNED
from tests.dbt.project import FOLDER
from tests.dbt.truth import kind_of

yaml = pytest.importorskip("yaml")
MODELS = FOLDER / "models"
JSON_VALUES: tuple[object, ...] = (None, True, 1, 1.5, "text", [], {})


def written_in(model: str, pattern: str) -> set[str]:
    """Return the texts that a model's SQL gives a column, in the place that a pattern shows."""
    (path,) = MODELS.rglob(f"{model}.sql")
    return set(re.findall(pattern, path.read_text("utf-8")))


EVENT_KINDS = written_in("int_pipedream__events", r"select '(\w+)' as event_kind")
DUE = {
    "event_kind": EVENT_KINDS,
    "event_state": {"full", "missing", "repaired", PRUNED},
    "payload_kind": {kind_of(value) for value in JSON_VALUES},
    # Rows that stand twice fail a test before anything is built on them.
    "standing": set(Standing) - {Standing.DOUBLED},
    "begins": set(Begin),
    "stg_pipedream__stream_status.verdict": {*Verdict, ENDED},
    "verdict": set(GAP_VERDICTS),
    "drift": written_in("fct_payload_fields", r"(?:then|else) '([a-z ]+)'"),
    "emitter_type": written_in("dim_emitters", r"'(\w+)' as emitter_type"),
    "owner_type": written_in("fct_usage_daily", r"'(\w+)' as owner_type"),
}


def accepted() -> Iterator[tuple[str, str, list[object]]]:
    """Yield model, column and values of each list in the project."""
    for path in sorted(MODELS.rglob("*.yml")):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            for column in model["columns"]:
                for test in column.get("data_tests", []):
                    if isinstance(test, dict) and "accepted_values" in test:
                        values = test["accepted_values"]["arguments"]["values"]
                        yield model["name"], column["name"], values


@pytest.mark.parametrize(("model", "column", "values"), list(accepted()))
def test_a_list_holds_what_its_column_can_take(
    model: str, column: str, values: list[object]
) -> None:
    # An unquoted `null`, `yes` or `on` is no text to YAML, and so never what a column holds.
    assert [value for value in values if not isinstance(value, str)] == [], model
    assert set(values) == DUE.get(f"{model}.{column}", DUE.get(column)), model
    assert len(values) == len(set(values)), model
