"""The verbs as a whole: one for each endpoint, each with help and an example, all of them light."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipedream_source.api.endpoints import ENDPOINTS
from pipedream_source.cli.app import app
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import ROOT, Command
from tests.integration.verbs import flags, tree, verbs, words

PLAIN = {"NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"}
HEAVY = "{'dlt', 'pandas', 'pyarrow', 'requests', 'starlette', 'uvicorn', 'duckdb', 'pendulum'}"
SEND_NOTHING = {"sources forget", "workflows forget"}
BEYOND_THE_TABLE = {
    *("sources enable", "sources disable", "workflows list", "events tail"),
    *SEND_NOTHING,
}
FORMS = {"--json", "--jsonl", "--columns"}
ASKING = {"--base-url", "--retry-budget", "--request-timeout", "--ca-bundle", "--verbose"}
NO_FIELDS = {"sources delete", "events delete", "webhooks delete", "subscriptions delete"}


COMMANDS = verbs()
GROUPED = {name: command for name, command in COMMANDS.items() if " " in name}


def test_every_endpoint_has_its_verb_and_no_verb_is_made_up() -> None:
    in_table = {endpoint.verb for endpoint in ENDPOINTS if endpoint.verb}
    assert in_table - set(COMMANDS) == set()
    assert set(GROUPED) - in_table == BEYOND_THE_TABLE
    assert "api" in COMMANDS
    assert all(endpoint.verb for endpoint in ENDPOINTS if endpoint.documented)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_has_help_with_an_example(name: str) -> None:
    done = CliRunner().invoke(app, [*name.split(), "--help"], env=PLAIN)
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    help_text, _, examples = done.stdout.partition("Examples")
    assert f"pipedream-source {name}" in examples
    assert re.search(r"[A-Z][^.]+\.", help_text.partition("Usage")[2])
    assert "\n" not in COMMANDS[name].help.replace("\n\n", ""), "lines broken in their middle"
    for line in re.findall(rf"pipedream-source {name}( [^│\n]*)?$", examples, re.MULTILINE):
        own, _, for_load = line.partition(" -- ")
        for verb, part in ((name, own), ("load", f" {for_load}")):
            named = set(re.findall(r"(?<=\s)--[a-z-]+", part))
            assert named <= flags(COMMANDS[verb]), line


def test_what_is_listed_is_the_first_line_of_each_help() -> None:
    listed = {name: announced.help for name, announced in tree().commands.items()}
    assert listed == {name: word.help.split("\n\n")[0] for name, word in words().items()}
    assert [name for name in listed if words()[name].name != name] == []


def test_one_verb_imports_no_other() -> None:
    python(
        "import sys; from pipedream_source.cli.app import app\n"
        "try: app(['load', '--help'])\n"
        "except SystemExit as done: assert not done.code\n"
        "found = {n for n in sys.modules if n.startswith('pipedream_source.cli.')}\n"
        "VERBS = ('read.prove', 'manage.sources', 'run.schedule', 'read.sql')\n"
        "found &= {f'pipedream_source.cli.{n}' for n in VERBS}\n"
        "sys.exit(f'imported {found}' if found else 0)"
    )


@pytest.mark.parametrize("name", sorted(SEND_NOTHING))
def test_flags_of_verbs_that_change_the_database_alone(name: str) -> None:
    found = flags(GROUPED[name])
    assert {"--json", "--dry-run", "--yes", "--database", "--destination", "--verbose"} <= found


@pytest.mark.parametrize("name", sorted(set(GROUPED) - SEND_NOTHING))
def test_the_same_flags_everywhere(name: str) -> None:
    found = flags(GROUPED[name])
    assert found >= (ASKING | FORMS)
    endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.verb == name]
    if endpoints and name not in NO_FIELDS:
        assert {"--include", "--exclude"} <= found
    if any(endpoint.method == "GET" for endpoint in endpoints):
        assert "--dry-run" not in found
    elif endpoints:
        assert "--dry-run" in found
    assert ({"--yes", "--wait"} <= found) is name.endswith(" delete")
    assert ("--org-id" in found) is ("--workspace-id" in found)
    lists = name.endswith((" list", " emits", " errors"))
    assert ("--max" in found) is lists
    assert not [flag for flag in found if "key" in flag or "secret" in flag]


def test_words_alone_show_what_there_is() -> None:
    for group in {name.split()[0] for name in GROUPED}:
        done = CliRunner().invoke(app, [group], env=PLAIN)
        assert all(
            f" {name.split()[1]} " in done.output for name in GROUPED if name.split()[0] == group
        )
    assert CliRunner().invoke(app, ["sources", "nosuch"], env=PLAIN).exit_code == 2


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_help_imports_anything_heavy() -> None:
    python(
        "import sys; from pipedream_source.cli.app import app\n"
        f"for name in {list(COMMANDS)!r}:\n"
        "    try: app([*name.split(), '--help'])\n"
        "    except SystemExit as done: assert not done.code\n"
        f"found = {HEAVY} & set(sys.modules)\n"
        "sys.exit(f'imported {found}' if found else 0)"
    )


LIGHT = [
    ["sources", "list"],
    ["webhooks", "create", "https://example.com", "--dry-run"],
    ["sources", "delete", "dc_nosuch", "--yes"],
    ["events", "list", "dc_2kzeOv"],
    ["api", "GET", "/users/me"],
    ["workflows", "list", "--afresh"],
]


def test_management_needs_no_dlt() -> None:
    with Sandbox() as sandbox:
        python(
            "import sys\n"
            "from pipedream_source.cli.app import app\n"
            f"for words in {LIGHT!r}:\n"
            "    try: app(words)\n"
            "    except SystemExit as done: assert done.code in (None, 0, 1), (words, done.code)\n"
            "    found = {'dlt', 'duckdb', 'pandas'} & set(sys.modules)\n"
            "    if found: sys.exit(f'{words} imported {found}')",
            PIPEDREAM_API_KEY=sandbox.api_key,
            PIPEDREAM_BASE_URL=sandbox.url,
        )


def test_a_quiet_run_and_its_status_import_no_dlt(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        command = Command(tmp_path, sandbox)
        loaded = command.json("load")
        assert loaded["loaded"] is True
        for words in (["load", "--json"], ["status", "--json"]):
            code = f"import sys; sys.argv = {['pipedream-source', *words]!r}\n"
            code += "from pipedream_source.cli.app import main\n"
            code += "try: main()\n"
            code += "except SystemExit as done: assert not done.code, done.code\n"
            # DuckDB 1 imports the others itself.
            others = ", 'pyarrow', 'pandas'" if duckdb.__version__ > "2" else ""
            code += f"found = {{'dlt'{others}}} & set(sys.modules)\n"
            code += "sys.exit(f'imported {found}' if found else 0)"
            done = subprocess.run(
                [sys.executable, "-c", code],
                env=command.environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)
