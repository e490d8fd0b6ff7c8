"""What holds for all tests: how many examples are tried, and how often Python tidies up."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("few", max_examples=40, deadline=None, print_blob=True)
settings.register_profile("many", max_examples=500, deadline=None, print_blob=True)
# Their examples cost little, so that more of them is all it takes.
CHEAP = {Path(__file__).parent / name for name in ("unit", "sandbox")}


def is_chaos(config: pytest.Config) -> bool:
    return str(config.getoption("markexpr")) == "chaos"


def pytest_configure(config: pytest.Config) -> None:
    # What was imported stays; looking through all of it over and over is a part of each load.
    gc.set_threshold(50_000, 20, 20)
    usual = "many" if is_chaos(config) else "few"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", usual))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the property tests into the exhaustive run, there with many examples."""
    if not is_chaos(config):
        return
    for item in items:
        if "hypothesis" in item.keywords and not CHEAP.isdisjoint(item.path.parents):
            item.add_marker("chaos")
