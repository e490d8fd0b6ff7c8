"""Databases for the notebooks: the demo's, an empty one, one with a million events."""

import shutil
from pathlib import Path

import pytest

from tests.integration.command import Command
from tests.made_once import made_once
from tests.notebooks import databases

# pandas 3.1 says so of the frames that DuckDB and marimo make.
PANDAS = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.drop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(PANDAS)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> Path:
        done = Command(folder).run("demo")
        assert done.returncode == 0, done.stderr
        return folder / "pipedream_demo.duckdb"

    made = made_once(tmp_path_factory, "demo", make)
    return Path(shutil.copy(made, tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="session")
def empty(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.without_rows(demo, tmp_path_factory.mktemp("empty") / "empty.duckdb")


@pytest.fixture(scope="session")
def million(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.with_a_million(demo, tmp_path_factory.mktemp("million") / "million.duckdb")
