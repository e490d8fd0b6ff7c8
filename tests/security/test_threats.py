"""The threat table names tests that exist, and the policy says what the command does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.integration.verbs import flags, tree, verbs

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "threats.md").read_text("utf-8")
ROWS = [line for line in TABLE.splitlines() if line.startswith("|")][2:]


def names_of_all_tests() -> set[str]:
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py")]
    functions = [node for tree in trees for node in ast.walk(tree)]
    return {node.name for node in functions if isinstance(node, ast.FunctionDef)}


def test_every_named_test_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TABLE))
    assert len(named) > 25
    assert named - names_of_all_tests() == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[2].strip()[:40])
def test_every_threat_has_a_defence_and_a_test(row: str) -> None:
    *_, how, stops, shown = (cell.strip() for cell in row.strip("|").split("|"))
    assert how
    assert stops
    assert re.fullmatch(r"`test_\w+`(, `test_\w+`)*", shown)


def test_the_policy_leads_to_the_table() -> None:
    assert "(docs/threats.md)" in (ROOT / "SECURITY.md").read_text("utf-8")


def test_the_command_takes_no_key() -> None:
    """Flags stand in `ps` and in the shell's history."""
    found = {(name, flag) for name, verb in {"": tree(), **verbs()}.items() for flag in flags(verb)}
    assert len(found) > 50
    secret = re.compile("key|secret|token|password|client-id", re.IGNORECASE)
    assert [(verb, flag) for verb, flag in found if secret.search(flag)] == []
