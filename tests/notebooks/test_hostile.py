"""What strangers wrote into names and payloads is shown, and does nothing."""

import json
from pathlib import Path

import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")

from tests.notebooks import browser
from tests.notebooks.databases import writing
from tests.notebooks.test_pages import needs_browser, write_page

SCRIPTS = (
    "<img src=x onerror='document.title=`owned`'>",
    "<script>document.title='owned'</script>",
    "text/html:<img src=x onerror=document.title='owned'>",
    "application/vnd.marimo+error:x",
    "</script><script>document.title='owned'</script>",
    "</marimo-code><iframe srcdoc='<script>parent.document.title=1</script>'>",
    "[a](javascript:document.title='owned') ![b](x) **c** `d` $e$ ::f::",
    "javascript:document.title='owned'",
    "data:text/html,<script>document.title='owned'</script>",
    "{{ 7*7 }} ${7*7}",
    "\u202e\u0007\u2028",
)


@pytest.fixture(scope="module")
def hostile(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo's file with such texts wherever strangers can write."""
    file = tmp_path_factory.mktemp("hostile") / "hostile.duckdb"
    file.write_bytes(demo.read_bytes())
    all_of_them = " ".join(SCRIPTS)
    payload = json.dumps({"text": list(SCRIPTS), **dict.fromkeys(SCRIPTS, 1)})
    error = {"code": SCRIPTS[0], "msg": all_of_them, "stack": all_of_them, "cellId": SCRIPTS[1]}
    context = {"workflow_id": SCRIPTS[1], "workflow_name": SCRIPTS[0]}
    thrown = json.dumps(
        {"original_event": json.loads(payload), "original_context": context, "error": error}
    )
    with writing(file) as connection:
        for table in ("sources", "workflows", "workspaces"):
            connection.execute(f"UPDATE {table} SET name = ? || id", [all_of_them])
        connection.execute("UPDATE users SET username = ?", [all_of_them])
        for table in ("source_event_summaries", "workflow_emits"):
            connection.execute(f"UPDATE {table} SET event = ?", [payload])
        connection.execute("UPDATE workflow_errors SET event = ?", [thrown])
        connection.execute("UPDATE event_gaps SET method = ?, channel = ?", [SCRIPTS[0]] * 2)
    return file


@needs_browser
@pytest.mark.parametrize(
    "name",
    [
        "errors",
        *(pytest.param(n, marks=pytest.mark.chaos) for n in ("events", "completeness", "usage")),
        pytest.param("quickstart", marks=pytest.mark.chaos),
    ],
)
def test_nothing_runs(name: str, hostile: Path, tmp_path: Path) -> None:
    page = write_page(name, hostile, tmp_path)
    title = f"Pipedream {name}"
    with browser.opened(page) as shown:
        text = shown.seen("2,552 events", "document.title", charts=0)
        shown.picture(tmp_path / "picture.png", height=3_000)
        found = shown.call("Runtime.evaluate", expression="document.title")["result"]["value"]
    assert found == title
    assert "Something went wrong" not in text
    assert [r for r in shown.requests if not r.startswith(("file:", "data:", "blob:"))] == []
    assert [r for r in shown.requests if r.endswith("/x")] == []
