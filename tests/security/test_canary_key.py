"""The API key is a canary: after every verb it is looked for wherever bytes can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.integration.contract import KEY, Contract
from tests.security.canary import found_in, leaks

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("every_verb.py")
SECRETS = {"key": KEY}
DATABASE = "pipedream_events.duckdb"
Step = tuple[list[str], str | None]

#: Each verb that matters, with the exit code that it has.
VERBS: list[tuple[str, int]] = [
    ("load -vv", 0),
    ("load --json", 0),
    ("check", 0),
    ("check --json -vv", 0),
    ("status -v", 0),
    ("status --json", 0),
    ("gaps", 0),
    ("gaps --json", 0),
    ("api GET /users/me -v", 0),
    ("api GET /nowhere --json", 1),
    ("sources list -vv", 0),
    ("sources list --json", 0),
    ("sources get dc_none", 2),
    ("events list dc_a --jsonl", 0),
    ("webhooks create https://example.com/ --dry-run", 0),
    ("sources delete dc_a --dry-run --json", 0),
    ("users me --json", 0),
    ("load --source-id nonsense", 2),
    ("load --base-url http://example.com", 2),
    ("load --database . --json", 2),
    ("load --destination nowhere -vv", 2),
    ("no-such-verb --json", 2),
]


class Canary:
    """Runs the verbs in a folder, with the key in the environment."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        (folder / "said").mkdir()

    def run(self, *steps: Step) -> list[int]:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), str(self.folder / "said"), json.dumps(steps)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert not found_in(done.stdout + done.stderr, SECRETS)
        assert done.returncode == 0, done.stderr
        codes: list[int] = json.loads(done.stdout)
        return codes

    @property
    def environment(self) -> dict[str, str]:
        kept = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TMPDIR": str(self.folder)}
        kept |= {"HOME": str(self.folder), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        return kept | {"PIPEDREAM_API_KEY": KEY, "PIPEDREAM_BASE_URL": self.url}

    def said(self, name: str) -> str:
        return (self.folder / "said" / name).read_text("utf-8")

    def assert_silent(self) -> None:
        assert leaks(self.folder, SECRETS) == []


@pytest.fixture
def canary(contract: Contract, tmp_path: Path) -> Canary:
    contract.stream("dc_a").emit_many(120, 1_700_000_000_000)
    contract.stream("p_a").emit_many(3, 1_700_000_000_000)
    contract.stream("p_a", "$errors")
    contract.subscribe("p_a")
    return Canary(tmp_path, contract.url)


def test_no_verb_leaves_the_key_anywhere(canary: Canary) -> None:
    steps: list[Step] = [(verb.split(), None) for verb, _ in VERBS]
    codes = canary.run(*steps)
    assert [(verb, code) for (verb, _), code in zip(VERBS, codes, strict=True)] == VERBS
    # The records were taken: dlt and urllib3 told of their work.
    records = canary.said("records.log")
    assert "'name': 'urllib3.connectionpool'" in records
    assert "'name': 'dlt'" in records
    canary.assert_silent()


def test_no_failure_leaves_the_key_anywhere(canary: Canary, contract: Contract) -> None:
    """A locked database, a crash in the midst, and an API that answers 401 with the key."""
    stream = contract.stream("dc_a")
    assert canary.run((["load"], None)) == [0]
    stream.emit_many(3, 1_700_001_000_000)
    with duckdb.connect(str(canary.folder / DATABASE)):
        assert canary.run((["load", "-vv", "--lock-wait", "0"], None)) == [5]
    stream.emit_many(3, 1_700_002_000_000)
    broken: list[Step] = [
        (["load", "-v"], "pipedream_source.running.package.adopt_destination_state!"),
        (["load", "-vv", "--json"], "pipedream_source.resources.events.item_of"),
    ]
    assert canary.run(*broken) == [1, 1]
    assert "boom [redacted]" in canary.said("load--v.err")
    contract.key_works = lambda _: False
    refused = ["load -vv", "load --json", "check -vv", "sources list -vv", "api GET /users/me"]
    assert canary.run(*[(verb.split(), None) for verb in refused]) == [2, 2, 2, 2, 2]
    assert contract.strangers
    canary.assert_silent()
