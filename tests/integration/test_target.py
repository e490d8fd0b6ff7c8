"""Where rows cannot go is refused before anything is sent or written."""

from pathlib import Path

import duckdb
import pytest

from pipedream_source.exceptions import ConfigurationError
from pipedream_source.running.destination.target import Target


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("pipedream.duckdb", "pipedream"),
        ("Pipedream.duckdb", "pipedream"),
        ("pipedream.prod.duckdb", "pipedream"),
        ("events.duckdb", "Other"),
        ("events.duckdb", "1st"),
        ("events.duckdb", 'x"; DROP'),
        ("events.duckdb", ""),
    ],
)
def test_names_that_cannot_be_told_apart_or_quoted(tmp_path: Path, name: str, dataset: str) -> None:
    with pytest.raises(ConfigurationError):
        Target(database=tmp_path / name, dataset=dataset).check()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"id,name\n1,a\n", b"\0" * 100])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "events.duckdb"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="left as it is"):
        Target(database=path).check()
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", [":memory:", "md:events", "MD:events"])
def test_what_is_no_file_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a file on this machine"):
        Target(database=Path(name)).check()


def test_a_folder_a_device_and_a_missing_folder(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null"), tmp_path / "missing" / "events.duckdb"):
        with pytest.raises(ConfigurationError):
            Target(database=path).check()


def test_an_existing_database_and_a_new_one_are_taken(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "old.duckdb")).close()
    Target(database=tmp_path / "old.duckdb").check()
    Target(database=tmp_path / "pipedream_events.duckdb").check()
    assert not (tmp_path / "pipedream_events.duckdb").exists()


def test_each_place_has_a_working_folder_of_its_own(tmp_path: Path) -> None:
    one, other = tmp_path / "one.duckdb", tmp_path / "other.duckdb"
    folders = {
        Target(database=one).folder,
        Target(database=other).folder,
        Target(database=one, dataset="second").folder,
        Target(database=one, pipelines_dir=tmp_path / "dirs").folder,
        Target(database=other, pipelines_dir=tmp_path / "dirs").folder,
        Target(destination="postgres").folder,
    }
    assert len(folders) == 6


def test_an_empty_file_of_a_killed_run_is_no_obstacle(tmp_path: Path) -> None:
    target = Target(database=tmp_path / "events.duckdb")
    target.database.touch()
    target.folder.mkdir()
    target.check()
    target.remove_stillborn()
    assert not target.database.exists()
