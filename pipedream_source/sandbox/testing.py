"""A pytest fixture for your own tests: `from pipedream_source.sandbox.testing import sandbox`.

Import it into a `conftest.py` or a test module. One server serves a whole session, or each worker
of one; it is put back to its seeded state before every test.
"""

from __future__ import annotations

import pytest

from pipedream_source.sandbox import Sandbox

SEED = 7
_RUNNING: pytest.StashKey[Sandbox] = pytest.StashKey()


@pytest.fixture
def sandbox(pytestconfig: pytest.Config) -> Sandbox:
    """A running sandbox in its seeded state."""
    if _RUNNING not in pytestconfig.stash:
        server = Sandbox(seed=SEED).__enter__()
        pytestconfig.stash[_RUNNING] = server
        pytestconfig.add_cleanup(lambda: server.__exit__(None, None, None))
    running = pytestconfig.stash[_RUNNING]
    running.reset(seed=SEED)
    return running
