"""The lock, the metadata and the change log agree with each other."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["dev"]],
    "requirements-extras.lock": [
        *PROJECT["dependencies"],
        *(need for name, needs in EXTRAS.items() if name != "dev" for need in needs),
    ],
}
SCHEDULERS = [
    f"tests/pipelines/locks/{name}.lock" for name in ("airflow", "dagster", "check-jsonschema")
]
PIN = re.compile(r"(?P<name>[a-z0-9-]+)(?:\[[a-z0-9, -]+\])?==(?P<version>[^\s;]+)(?: ; [^\\]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: str) -> list[list[str]]:
    """Split a lock file into entries, each a pin and its hashes."""
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", "\0")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [[part.strip() for part in line.split("\0")] for line in lines]


def pins(lock: str) -> dict[str, str]:
    """Map each package of a lock file to its version."""
    found = [PIN.fullmatch(entry[0]) for entry in entries(lock)]
    return {match["name"]: match["version"] for match in found if match}


def required_name(requirement: str) -> str:
    """Give the name that a requirement asks for, as the lock spells it."""
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")


@pytest.mark.parametrize("lock", [*LOCKS, *SCHEDULERS])
def test_every_entry_is_a_pin_with_hashes_and_nothing_else(lock: str) -> None:
    found = entries(lock)
    assert found
    bad = [
        entry[0]
        for entry in found
        if not PIN.fullmatch(entry[0])
        or len(entry) < 2
        or not all(HASH.fullmatch(part) for part in entry[1:])
    ]
    assert bad == []


@pytest.mark.parametrize("lock", [*LOCKS, *SCHEDULERS])
def test_no_index_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^-i\b|^-f\b", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked(lock: str) -> None:
    assert {required_name(need) for need in LOCKS[lock]} - set(pins(lock)) == set()


def test_the_build_backend_is_locked() -> None:
    assert {"hatchling", "editables"} <= set(pins("requirements.lock"))


def test_the_locks_fit_into_one_environment() -> None:
    base, extras = (pins(lock) for lock in LOCKS)
    assert {
        name: base[name] for name in base.keys() & extras.keys() if base[name] != extras[name]
    } == {}


def test_the_change_log_names_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    latest = re.search(r"^## \[(\d[^\]]*)\]", text, re.MULTILINE)
    assert latest
    assert latest[1] == PROJECT["version"] == metadata.version("pipedream-source")


def test_the_command_is_installed() -> None:
    (command,) = metadata.entry_points(group="console_scripts", name="pipedream-source")
    assert command.value == PROJECT["scripts"]["pipedream-source"]
    assert callable(command.load())


def test_type_information_is_shipped() -> None:
    assert (ROOT / "pipedream_source" / "py.typed").is_file()
