"""What the README shows is run: its commands against the sandbox, its snippets, its claims."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import duckdb
import pytest

from pipedream_source.resources.schema import tables
from pipedream_source.sandbox import Sandbox
from pipedream_source.source import pipedream_source
from tests.integration.command import Command
from tests.integration.verbs import flags, tree, verbs, words

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
# Installed already, or run by other tests.
ELSEWHERE = ("pip install", "export ", "pipedream-source demo")


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def console_commands() -> list[str]:
    lines = [line for text in blocks("console") for line in text.splitlines()]
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [command for command in commands if not command.startswith(ELSEWHERE)]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A folder and an environment in which the README's commands run on the sandbox."""
    with Sandbox() as sandbox:
        yield Command(tmp_path_factory.mktemp("readme"), sandbox)


def test_commands_run_in_their_order(command: Command) -> None:
    lines = console_commands()
    assert len(lines) >= 7
    (text,) = blocks("json")
    (command.folder / "feed.json").write_text(text, encoding="utf-8")
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "pipedream-source"
        done = command.run(*words[1:])
        assert done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("snippet", blocks("python"))
def test_python_snippets_run(snippet: str, command: Command) -> None:
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=command.folder,
        env=command.environment | {"DLT_DATA_DIR": str(command.folder / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stdout


def test_sql_runs(command: Command) -> None:
    assert command.run("load", "-q", "--database", "sql.duckdb").returncode == 0
    with duckdb.connect(str(command.folder / "sql.duckdb"), read_only=True) as connection:
        # Those over dbt's marts are run by tests/dbt.
        for query in [query for query in blocks("sql") if "analytics." not in query]:
            assert connection.execute(query).fetchall()


def test_configuration_is_toml_with_known_options() -> None:
    (text,) = blocks("toml")
    options = tomllib.loads(text)["sources"]["pipedream"]
    assert set(options) <= set(signature(pipedream_source).parameters)


def test_every_verb_and_exit_code_is_described() -> None:
    for verb, command in words().items():
        assert re.search(rf"^### {verb}$", README, re.MULTILINE), verb
        for word in getattr(command, "commands", ()):
            shown = [
                c for c in console_commands() if c.startswith(f"pipedream-source {verb} {word}")
            ]
            assert shown, f"{verb} {word}"
    for code in (0, 1, 2, 3, 4, 5, 75, 130):
        assert re.search(rf"^\| {code}\b", README, re.MULTILINE), code


def test_no_flag_is_made_up() -> None:
    # What stands in quotes after `--then` is another program's.
    ours = re.sub(r'--then "[^"]*"', "--then", README)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    known = set().union(*map(flags, [tree(), *verbs().values()]))
    assert named - known == {"--help"}


def test_every_table_and_event_column_is_described() -> None:
    named = {value.name for value in vars(tables).values() if isinstance(value, tables.Table)}
    for name in named:
        assert f"| `{name}` |" in README, name
    for column in tables.SOURCE_EVENT_SUMMARIES.columns:
        assert f"`{column}`" in README, column


def test_every_switch_is_described(command: Command) -> None:
    assert command.sandbox is not None
    switches = command.sandbox.control("GET", "switches")["allowed"]
    described = {n for n in switches if f"`{n}`" in README}
    assert set(switches) - described <= {"excluded_count", "user_api_key"}


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)|`make (\w+)`", README, re.MULTILINE)
    assert len(targets) >= 4
    for target in (one or other for one, other in targets):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_no_placeholder_is_left() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert "@@" not in page.read_text(encoding="utf-8"), page
