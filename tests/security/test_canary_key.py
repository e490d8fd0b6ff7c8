"""The API key is a canary: after every verb it is looked for wherever bytes can be."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.integration.contract import KEY, Contract
from tests.security.canary import leaks
from tests.security.verbs import Step, Verbs

SECRETS = {"key": KEY}
DATABASE = "pipedream_events.duckdb"

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
    ("init --json", 0),
    ("sql from+stream_status --json", 2),
    ("export stream_status --to csv", 0),
    ("search canary -v", 0),
    ("events tail --emitter dc_a --live --jsonl", 0),
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


@pytest.fixture
def verbs(contract: Contract, tmp_path: Path) -> Verbs:
    contract.stream("dc_a").emit_many(120, 1_700_000_000_000)
    contract.stream("p_a").emit_many(3, 1_700_000_000_000)
    contract.stream("p_a", "$errors")
    contract.subscribe("p_a")
    return Verbs(tmp_path, contract.url)


def test_no_verb_leaves_the_key_anywhere(verbs: Verbs) -> None:
    steps: list[Step] = [(verb.split(), None) for verb, _ in VERBS]
    codes = verbs.run(*steps)
    assert [(verb, code) for (verb, _), code in zip(VERBS, codes, strict=True)] == VERBS
    # The records were taken: dlt and urllib3 told of their work.
    records = verbs.output("records.log")
    assert "'name': 'urllib3.connectionpool'" in records
    assert "'name': 'dlt'" in records
    assert leaks(verbs.folder, SECRETS) == []


def test_no_failure_leaves_the_key_anywhere(verbs: Verbs, contract: Contract) -> None:
    """A locked database, a crash in the midst, and an API that answers 401 with the key."""
    stream = contract.stream("dc_a")
    assert verbs.run((["load"], None)) == [0]
    stream.emit_many(3, 1_700_001_000_000)
    with duckdb.connect(str(verbs.folder / DATABASE)):
        assert verbs.run((["load", "-vv", "--lock-wait", "0"], None)) == [5]
    stream.emit_many(3, 1_700_002_000_000)
    broken: list[Step] = [
        (["load", "-v"], "pipedream_source.running.load.dlt_load.adopt_destination_state!"),
        (["load", "-vv", "--json"], "pipedream_source.resources.events.event_resources.item_of"),
    ]
    assert verbs.run(*broken) == [1, 1]
    assert "boom [redacted]" in verbs.output("load--v.err")
    contract.key_works = lambda _: False
    refused = ["load -vv", "load --json", "check -vv", "sources list -vv", "api GET /users/me"]
    assert verbs.run(*[(verb.split(), None) for verb in refused]) == [2, 2, 2, 2, 2]
    assert contract.strangers
    assert leaks(verbs.folder, SECRETS) == []
