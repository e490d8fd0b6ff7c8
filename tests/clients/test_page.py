"""docs/clients.md is what `make test-clients` runs, and every environment has its row."""

from tests.clients.expected import CHECKS, CLIENTS, VERSIONS
from tests.clients.page import PAGE, page


def test_the_page_is_written_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.clients.page`"


def test_every_environment_is_run_and_every_check_is_made() -> None:
    environments = [name for kind in VERSIONS.values() for name in kind]
    assert sorted(environments) == sorted(client.environment for client in CLIENTS)
    assert all(list(client.cells) == list(CHECKS) for client in CLIENTS)
