"""`init`, and what those are told who have not configured anything."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipedream_source.cli.run.init import CONFIG, SECRETS
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import Command

NO_KEY = {"PIPEDREAM_API_KEY": None}
STEPS = ["init", "load", "demo"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def command(tmp_path: Path, sandbox: Sandbox) -> Command:
    return Command(tmp_path, sandbox)


def steps(text: str) -> list[str]:
    lines = [line.split() for line in text.splitlines()]
    return [words[1] for words in lines if words[:1] == ["pipedream-source"]]


def test_three_lines_say_how_to_begin(tmp_path: Path) -> None:
    command = Command(tmp_path)
    done = command.run()
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 3, "")
    assert steps(done.stdout) == STEPS
    assert max(map(len, done.stdout.splitlines())) <= 80
    for verb in (["load"], ["check"], ["sources", "list"]):
        done = command.run(*verb)
        assert (done.returncode, done.stdout) == (2, "")
        assert "No API key" in done.stderr
        assert steps(done.stderr) == STEPS
    failed = command.json("load", code=2)
    assert failed["error"].startswith("No API key")
    assert list(tmp_path.iterdir()) == []


def test_with_a_configuration_the_bare_command_shows_its_verbs(command: Command) -> None:
    done = command.run()
    assert (done.returncode, "prove" in done.stdout, steps(done.stdout)) == (0, True, [])
    assert command.run(**NO_KEY).stdout.count("\n") == 3
    command.run("init", "--no-check", **NO_KEY)
    assert "prove" in command.run(**NO_KEY).stdout


def test_the_files_are_private_and_ignored_by_git(command: Command) -> None:
    (command.folder / ".git").mkdir()
    (command.folder / ".gitignore").write_text("/build", encoding="utf-8")
    told = command.run("init", **NO_KEY)
    assert told.returncode == 0, told.stderr
    folder = command.folder / ".dlt"
    assert folder.stat().st_mode & 0o777 == 0o700
    for name, text in (("config.toml", CONFIG), ("secrets.toml", SECRETS)):
        assert (folder / name).read_text("utf-8") == text
        assert (folder / name).stat().st_mode & 0o777 == 0o600
        assert "pipedream" in tomllib.loads(text)["sources"]
    ignored = "/build\n/.dlt/secrets.toml\n/pipedream_events.duckdb*\n"
    assert (command.folder / ".gitignore").read_text("utf-8") == ignored
    assert "put your API key into .dlt/secrets.toml" in told.stdout
    again = command.run("init", **NO_KEY)
    assert again.stdout.count("kept") == 2
    assert (command.folder / ".gitignore").read_text("utf-8") == ignored


def test_the_key_in_the_file_is_tried(command: Command) -> None:
    assert command.run("init", **NO_KEY).returncode == 0
    assert not (command.folder / ".gitignore").exists()
    secrets = command.folder / ".dlt/secrets.toml"
    assert command.sandbox
    for key, code, said in (
        (command.sandbox.api_key, 0, "the key belongs to ada"),
        ("wrong-key", 2, "refused the key"),
    ):
        text = SECRETS.replace('# api_key = "…"', f'api_key = "{key}"')
        secrets.write_text(text, encoding="utf-8")
        done = command.run("init", **NO_KEY)
        assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stderr
        assert key not in done.stdout + done.stderr
        assert secrets.read_text("utf-8") == text
    assert command.run("init", "--no-check", **NO_KEY).returncode == 0


def test_a_program_is_told_too(command: Command) -> None:
    found = command.json("init")
    assert found["files"] == {".dlt/config.toml": "written", ".dlt/secrets.toml": "written"}
    assert (found["has_key"], found["owner"]["username"]) == (True, "ada")
    assert (found["gitignore"], found["to_add"]) == ([], {})


def test_files_of_others_are_left_as_they_are(command: Command) -> None:
    folder = command.folder / ".dlt"
    folder.mkdir()
    (folder / "config.toml").write_text("[runtime]\nlog_level = 'INFO'\n", encoding="utf-8")
    (folder / "secrets.toml").write_text("[sources.pipedream]\n", encoding="utf-8")
    (folder / "secrets.toml").chmod(0o644)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = command.run("init", **NO_KEY)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert CONFIG.splitlines()[3] in done.stdout
    assert "chmod 600 .dlt/secrets.toml" in done.stderr
    assert command.json("init")["to_add"] == {".dlt/config.toml": CONFIG}


def test_what_is_in_the_way_is_told(command: Command) -> None:
    (command.folder / ".dlt").write_text("no folder", encoding="utf-8")
    done = command.run("init")
    assert (done.returncode, "cannot be made" in done.stderr) == (2, True)
    (command.folder / ".dlt").unlink()
    (command.folder / ".dlt").mkdir()
    (command.folder / ".dlt/config.toml").write_text("[sources", encoding="utf-8")
    done = command.process("init")
    assert (done.returncode, "config.toml" in done.stderr) == (2, True)
    (command.folder / ".dlt/config.toml").write_text("[sources.pipedream]\nworkflow = 1\n")
    done = command.run("init")
    assert (done.returncode, "unknown option 'workflow'" in done.stderr) == (2, True), done.stderr


def test_a_gitignore_of_any_kind_is_kept_or_told(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    ignore = tmp_path / ".gitignore"
    ignore.write_bytes(b"caf\xe9")
    assert Command(tmp_path).run("init", "--no-check").returncode == 0
    assert ignore.read_bytes().startswith(b"caf\xe9\n/.dlt/secrets.toml\n")
    ignore.unlink()
    ignore.mkdir()
    done = Command(tmp_path).run("init", "--no-check", COLUMNS="300")
    assert (done.returncode, "would commit your key" in done.stderr) == (2, True), done.stderr
