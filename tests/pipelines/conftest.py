"""A private home, and a sandbox for each module with a folder in which commands run on it."""

from collections.abc import Iterator

import pytest

from pipedream_source.sandbox import Sandbox
from tests.integration.command import Command
from tests.integration.conftest import _one_tree_of_verbs, _own_world

__all__ = ["_one_tree_of_verbs", "_own_world"]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with Sandbox() as sandbox:
        yield Command(tmp_path_factory.mktemp("home"), sandbox)
