"""The real API, with your own key: `make test ARGS="-m live"` and PIPEDREAM_LIVE_API_KEY set."""

import os
from pathlib import Path

import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.destination.target import Target
from pipedream_source.running.load.load_run import run_load

KEY = os.environ.get("PIPEDREAM_LIVE_API_KEY")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not KEY, reason="PIPEDREAM_LIVE_API_KEY is not set"),
]


def test_two_loads_leave_no_duplicates(tmp_path: Path) -> None:
    """Reads only: nothing of the account is changed."""
    for _ in range(2):
        with PipedreamClient(KEY) as client:
            report = run_load(Target(database=tmp_path / "live.duckdb"), open_session(client))
        assert report.exit_code in (0, 3), report.as_dict()
    assert report.tally.polled > 0
