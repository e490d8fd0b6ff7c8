"""The page of faults says what the tests check, and names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.elsewhere import ELSEWHERE
from tests.faults.groups import GROUPS
from tests.faults.lists import LISTS
from tests.faults.page import PAGE, page
from tests.faults.runs import RUNS

TESTS = Path(__file__).resolve().parents[1]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.faults.page`"


def test_each_fault_is_there_once() -> None:
    faults = [fault for group in GROUPS for fault in group.faults]
    for described in (faults, LISTS, RUNS):
        names = [fault.name for fault in described]
        assert len(names) == len(set(names))
        lines = [(type(fault), fault.happens) for fault in described]
        assert all(happens for _, happens in lines)


def test_tests_that_are_named_exist() -> None:
    found = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {test for *_, test in ELSEWHERE} <= found
