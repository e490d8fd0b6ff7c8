"""The text for each scheduler: what it says, how it is quoted, and that it runs where it can."""

import ast
import os
import plistlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.cli.schedules.job import Job
from pipedream_source.cli.schedules.python_text import listed
from pipedream_source.cli.schedules.schedulers import Scheduler, files_for
from pipedream_source.cli.schedules.systemd import command_line
from pipedream_source.exceptions import ConfigurationError
from tests.integration.command import Command
from tests.pipelines import written

ODD = 'it\'s 100% "mine" & $HOME;\tno'
FOLDER = Path("/home/you", ODD.replace("\t", " "))
COMMAND = str(FOLDER / "bin" / "pipedream-source")
WORDS = [COMMAND, "load", "--database", str(FOLDER / "a b.duckdb")]


def job(every_s: float = 300, folder: Path = FOLDER, **more: Any) -> Job:
    command = str(folder / "bin" / "pipedream-source")
    return Job(every_s, (command,), folder, folder / "a b.duckdb", **more)


def text_of(scheduler: Scheduler, asked: Job, name: str = "") -> str:
    (text,) = [f.text for f in files_for(scheduler, asked) if f.name.endswith(name)]
    return text


@pytest.mark.parametrize("scheduler", Scheduler)
def test_the_examples_are_what_the_command_prints(scheduler: Scheduler, tmp_path: Path) -> None:
    done = Command(tmp_path).run(*written.words(scheduler), "--output", "made")
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_text("utf-8") for path in (tmp_path / "made").iterdir()}
    assert made
    for name, text in made.items():
        assert (written.FOLDER / name).read_text("utf-8") == text, "run `make schedules`"


def test_no_example_is_left_over() -> None:
    known = {f.name for s in Scheduler for f in files_for(s, job(900, Path("/home/you")))}
    assert {path.name for path in written.FOLDER.iterdir()} == known


def cron_command(line: str) -> str:
    """What cron hands to the shell: five fields off, and `\\%` is `%`."""
    command = line.split(" ", 5)[5]
    assert not re.search(r"(?<!\\)%", command)
    return command.replace("\\%", "%")


def test_a_cron_line_runs_with_an_empty_environment(command: Command, tmp_path: Path) -> None:
    """In a folder of a difficult name, with the key where the text says that it belongs."""
    assert command.sandbox is not None
    folder = tmp_path / ODD.replace("\t", "")
    (folder / ".dlt").mkdir(parents=True)
    secrets = folder / ".dlt" / "secrets.toml"
    secrets.write_text(f'[sources.pipedream]\napi_key = "{command.sandbox.api_key}"\n', "utf-8")
    secrets.chmod(0o600)
    words = ("schedule", "--every", "1m", "--as", "cron", "--folder", str(folder))
    said = command.run(*words, "--pipelines-dir", str(tmp_path / "dlt"), "--", "--only", "events")
    assert said.returncode == 0, said.stderr
    line = said.stdout.splitlines()[-1]
    assert line.startswith("* * * * * ")
    done = subprocess.run(
        ["/bin/sh", "-c", cron_command(line)],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert (folder / "load.log").read_text("utf-8") == ""
    assert (folder / "load.log").stat().st_mode & 0o077 == 0
    with duckdb.connect(str(folder / "pipedream_events.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT count(*) > 1000 FROM pipedream.source_event_summaries")
        assert found.fetchall() == [(True,)]


def test_what_cron_cannot_take_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="may drop"):
        text_of(Scheduler.CRON, job(folder=Path("/a\\b")))
    with pytest.raises(ConfigurationError, match="cron takes 998"):
        text_of(Scheduler.CRON, job(folder=Path("/" + "long/" * 150)))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize(
    ("name", "is_there"),
    [(ODD.replace("\t", ""), True), ("a 100% & b", True), ("a 100% & b", False)],
)
def test_systemd_takes_the_units(tmp_path: Path, name: str, is_there: bool) -> None:
    """The program must be found, so its path was read as it was meant."""
    asked = job(folder=tmp_path / name)
    program = Path(asked.command[0])
    program.parent.mkdir(parents=True)
    if is_there:
        program.write_text("#!/bin/sh\n", "utf-8")
        program.chmod(0o755)
    files = files_for(Scheduler.SYSTEMD, asked)
    for file in files:
        (tmp_path / file.name).write_text(file.text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", *(str(tmp_path / file.name) for file in files)],
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) is is_there, done.stderr
    assert ("pipedream-source" in done.stderr) is not is_there, done.stderr


def systemd_words(line: str) -> list[str]:
    """Read a command line as systemd.service(5) says; all words but the first take variables."""
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"|([^ "]+)', line)
    words = [re.sub(r"\\(.)", r"\1", quoted) or plain for quoted, plain in pieces]
    return [word.replace("%%", "%").replace("$$", "$") for word in words]


def test_systemd_gets_the_words_back() -> None:
    service = text_of(Scheduler.SYSTEMD, job(), ".service")
    (line,) = re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)
    assert systemd_words(line) == ["/usr/bin/env", *WORDS, "--quiet"]
    assert f"WorkingDirectory={str(FOLDER).replace('%', '%%')}\n" in service
    assert "SuccessExitStatus=75\n" in service
    for every_s, told in ((420, "420"), (1.5, "1.5"), (14 * 86_400 + 1, "1209601")):
        assert f"OnUnitActiveSec={told}s\n" in text_of(Scheduler.SYSTEMD, job(every_s), ".timer")


PRINTABLE = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1
)


@given(word=PRINTABLE)
def test_any_word_comes_back(word: str) -> None:
    assert systemd_words(command_line(["/bin/p", word])) == ["/bin/p", word]
    assert ast.literal_eval(listed([word])) == [word]
    asked = Job(60, ("/bin/p",), Path("/x"), None, "postgres", flags=(f"--since={word}",))
    assert plistlib.loads(text_of(Scheduler.LAUNCHD, asked).encode())["ProgramArguments"][4] == (
        f"--since={word}"
    )
    if "\\" not in word and len(word) < 100:
        command = cron_command(text_of(Scheduler.CRON, asked).splitlines()[-1])
        assert (
            shlex.split(command.partition(" && ")[2].rpartition(" 2>&1")[0])[4] == f"--since={word}"
        )


def test_launchd_gets_the_words_back() -> None:
    agent = plistlib.loads(text_of(Scheduler.LAUNCHD, job()).encode())
    assert agent["ProgramArguments"] == [*WORDS, "--quiet"]
    assert agent["WorkingDirectory"] == str(FOLDER)
    assert (agent["StartInterval"], agent["Umask"]) == (300, 0o077)


def test_windows_gets_one_argument() -> None:
    text = text_of(Scheduler.WINDOWS, job())
    (argument,) = re.findall(r"-Execute 'wsl.exe' -Argument '((?:[^']|'')*)'$", text, re.MULTILINE)
    expected = subprocess.list2cmdline(["--cd", str(FOLDER), "--exec", *WORDS, "--quiet"])
    assert argument.replace("''", "'") == expected
    assert "New-TimeSpan -Seconds 300" in text


def test_windows_reads_any_letter_in_any_code_page() -> None:
    text = text_of(Scheduler.WINDOWS, job(folder=Path("/home/you/Zoé\u2019s \U0001f4be")))
    assert text.isascii()
    (argument,) = re.findall(r"-Argument \((.*)\)$", text, re.MULTILINE)
    pieces = re.findall(r"'((?:[^']|'')*)'|\[char\]0x([0-9a-f]{4})", argument)
    units = b"".join(
        int(unit, 16).to_bytes(2, "little")
        if unit
        else plain.replace("''", "'").encode("utf-16-le")
        for plain, unit in pieces
    )
    assert units.decode("utf-16-le").startswith('--cd "/home/you/Zoé\u2019s \U0001f4be" --exec ')


@pytest.mark.parametrize("scheduler", [Scheduler.AIRFLOW, Scheduler.DAGSTER])
def test_python_gets_the_words_back(scheduler: Scheduler) -> None:
    tree = ast.parse(text_of(scheduler, job()))
    given = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
    }
    assert given["COMMAND"][:-1] == WORDS
    assert given["FOLDER"] == str(FOLDER)


def workflow(asked: Job) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(text_of(Scheduler.GITHUB, asked), yaml.BaseLoader)
    return found


def steps(found: dict[str, Any]) -> dict[str, Any]:
    named = found["jobs"]["load"]["steps"]
    return {step.get("name") or step.get("uses") or step["run"]: step for step in named}


def test_github_keeps_the_database() -> None:
    found = workflow(job(900, pipelines_dir=FOLDER / "dlt"))
    assert found["concurrency"] == {"group": "pipedream-source", "cancel-in-progress": "false"}
    assert found["on"]["schedule"] == [{"cron": "3-59/15 * * * *"}]
    do = steps(found)
    words = shlex.split(do["Load"]["run"].partition(" || ")[0])
    assert words[:4] == ["pipedream-source", "load", "--database", "a b.duckdb"]
    taken, kept = do["Take the newest database"]["with"], do["Keep the database"]["with"]
    assert taken["path"] == kept["path"] == "a b.duckdb\na b.duckdb.wal\ndlt\n"
    assert taken["key"] == kept["key"]
    assert taken["key"].startswith(taken["restore-keys"])
    assert "${{ github.run_id }}" in taken["key"]
    assert [name for name, step in do.items() if "secrets." in str(step)] == ["Load"]


def test_github_needs_no_cache_for_a_server() -> None:
    found = workflow(Job(900, ("/bin/p",), FOLDER, None, "postgres"))
    assert "cache" not in str(found)
    do = steps(found)
    assert set(do["Load"]["env"]) == {"PIPEDREAM_API_KEY", "DESTINATION__POSTGRES__CREDENTIALS"}
    assert do["Load"]["run"].startswith("pipedream-source load --destination postgres ")


def test_exit_code_75_is_no_failure_on_github() -> None:
    ending = workflow(job(900))["jobs"]["load"]["steps"][-3]["run"].partition(" || ")[2].strip()
    for code, expected in ((0, 0), (75, 0), (4, 1)):
        done = subprocess.run(["bash", "-e", "-c", f"(exit {code}) || {ending}"], check=False)
        assert done.returncode == expected


@pytest.mark.parametrize(
    ("scheduler", "every_s", "folder", "told"),
    [
        (Scheduler.GITHUB, 240, "/x", "every 5m"),
        (Scheduler.GITHUB, 900, "/${{ x }}", "evaluate"),
        (Scheduler.GITHUB, 900, "/x*", "pattern"),
        (Scheduler.AIRFLOW, 59, "/x", "every 1m"),
        (Scheduler.AIRFLOW, 900, "/{{ x }}", "render"),
        (Scheduler.AIRFLOW, 900, "/x.sh", "script"),
        (Scheduler.LAUNCHD, 5, "/x", "every 10s.*--as systemd"),
        (Scheduler.SYSTEMD, 0.5, "/x", "every 1s"),
        (Scheduler.WINDOWS, 30, "/x", "every 1m"),
        (Scheduler.DAGSTER, 420, "/x", "6m or 8m"),
    ],
)
def test_what_cannot_be_said_is_refused(
    scheduler: Scheduler, every_s: float, folder: str, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        files_for(scheduler, job(every_s, Path(folder)))
