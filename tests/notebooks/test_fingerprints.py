"""The notebook groups errors by the cases that the marts are tested with too."""

from pathlib import Path

import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")

from notebooks.reading.database import Database
from tests import error_cases
from tests.notebooks.databases import with_payloads


def test_errors_are_grouped_as_the_cases_say(tmp_path: Path) -> None:
    payloads = [payload for payload, _ in error_cases.cases()]
    file = with_payloads(tmp_path / "cases.duckdb", "workflow_errors", payloads)
    found = Database.find(file).frame(
        "SELECT event::VARCHAR AS payload, message_normalised, top_frame, fingerprint "
        "FROM detailed_errors ORDER BY event_seq"
    )
    rows = found.astype(object).where(found.notna(), None).itertuples(index=False, name=None)
    error_cases.check(list(rows))
