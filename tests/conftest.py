"""What holds for all tests: how many examples are tried, and how often Python tidies up."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("few", max_examples=40, deadline=None, print_blob=True)
settings.register_profile("many", max_examples=500, deadline=None, print_blob=True)
CHEAP = {Path(__file__).parent / name for name in ("unit", "sandbox")}


def is_chaos(config: pytest.Config) -> bool:
    return str(config.getoption("markexpr")) == "chaos"


def is_cheap(item: pytest.Item) -> bool:
    return not CHEAP.isdisjoint(item.path.parents)


def pytest_configure(config: pytest.Config) -> None:
    # What was imported stays; looking through all of it over and over is a part of each load.
    gc.set_threshold(50_000, 20, 20)
    usual = "many" if is_chaos(config) else "few"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", usual))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put short files last, so that no worker ends long after the other.

    The exhaustive run takes the property tests in, with many examples each.
    """
    items.sort(key=is_cheap)
    if is_chaos(config):
        for item in filter(is_cheap, items):
            if "hypothesis" in item.keywords:
                item.add_marker("chaos")
