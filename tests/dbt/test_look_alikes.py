"""Payloads that look alike to the database and are not: whoever builds, and when, gets the same."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd

from pipedream_source.running.destination.target import Target
from pipedream_source.sandbox import Sandbox
from tests.dbt.project import DATABASE, Dbt, frame
from tests.dbt.truth import fields_of
from tests.dbt.world import copied, loaded

# What the first load brings, and what the second does: to DuckDB's `json_structure` the same, or of
# the same fields with other values.
PAIRS = {
    "empty, null": ('{"order":1,"lines":[]}', '{"order":2,"lines":[null]}'),
    "null, empty": ('{"lines":[ \n null, null]}', '{"lines":[]}'),
    "deeper": ('{"a":[{"b":[[]]}]}', '{"a":[{"b":[[null],[]]}]}'),
    "text that looks so": ('{"a":[],"b":"[null]"}', '{"a":[null],"b":"[null]"}'),
    "empty object, mixture": ('{"a":[{}]}', '{"a":[1,"x"]}'),
    "numbers": ('{"a":1}', '{"a":-1.5e300}'),
    "lower id": ('{"a":"late"}', '{"a":"early"}'),
    "left out": (json.dumps({"a": 1}), "[" * 30 + "]" * 30),
    "left out, more": (
        json.dumps({str(number): 1 for number in range(1_200)}),
        json.dumps({str(number): 1 for number in range(1_300)}),
    ),
}
MARTS = ("fct_payload_fields", "fct_events", "int_pipedream__shape_fields")


def test_each_build_and_a_full_refresh_agree(dbt: Dbt, tmp_path: Path) -> None:
    database = tmp_path / DATABASE
    with Sandbox(seed=7) as sandbox:
        (source,) = sandbox.add_emitters(1)
        only = {"source_ids": [source], "workflow_ids": [], "discover": False}
        newest = 1793610000000
        for turn, step in enumerate((0, -1_000)):
            for number, texts in enumerate(PAIRS.values()):
                for copy in range(3 + turn):
                    event_id = f"{newest + step}-{copy}"
                    sandbox.emit(source, f"pair{number}", event_text=texts[turn], id=event_id)
            channels = [f"pair{number}" for number in range(len(PAIRS))]
            assert loaded(sandbox, Target(database=database), channels=channels, **only) == 0
            dbt("run", database=database)
    dbt("test", "--exclude-resource-type", "unit_test", database=database)

    fields = frame(database, "SELECT * FROM fct_payload_fields")
    for number, (name, texts) in enumerate(PAIRS.items()):
        if name.startswith("left out"):
            continue
        due: Counter[str] = Counter()
        for text, copies in zip(texts, (3, 4), strict=True):
            due.update(dict.fromkeys(fields_of(text.encode()), copies))
        found = fields[fields.channel == f"pair{number}"]
        assert dict(zip(found.path, found.events, strict=True)) == dict(due), name
    left_out = fields[fields.path == "$"].set_index("channel").fields_left_out
    assert left_out[f"pair{list(PAIRS).index('left out, more')}"] == 301

    whole = copied(database, tmp_path / "whole")
    dbt("run", "--full-refresh", database=whole)
    for name in MARTS:
        steps, once = (
            frame(file, f"SELECT * FROM {name} ORDER BY ALL") for file in (database, whole)
        )
        pd.testing.assert_frame_equal(steps, once, obj=name)
