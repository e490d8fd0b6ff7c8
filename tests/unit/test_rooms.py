"""Keeps the folders of each floor a tower of rooms: small, explained, importing only downwards."""

import ast
import graphlib
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.unit.modules import PACKAGE, PACKAGES, SOURCES, floor_of, imports_of

# The rooms of each floor from the top down: a folder, or a module beside the folders. A room
# imports from rooms after a later `>`, never from its neighbours.
TOWERS = {
    "api": "client > methods > calls > http pages > arguments endpoints replies"
    " > protocol > json_text types",
    "cli": "app > run > schedules > manage > read > flags > command > output",
    "core": "completeness > polls > streams text",
    "resources": "events objects > session > polls > arrow > schema",
    "running": "load survey > maintenance > state > description > packages > context > report"
    " signals > destination > duckdb exit_codes",
    "sandbox": "testing > server > http > control endpoints > world > content > protocol",
}
MOST_MODULES = 15


def rooms_of(floor: str) -> list[set[str]]:
    """Give the rooms of a floor, from the top down."""
    return [set(level.split()) for level in TOWERS[floor].split(">")]


def room_of(module: str) -> str:
    """Give the room of a module, and nothing for a floor's own `__init__`."""
    return ".".join(module.split(".")[2:3])


def neighbours_of(module: str, source: str, modules: set[str]) -> Iterator[str]:
    """Yield the modules of the same floor that a module imports, wherever the import stands."""
    for base, name in imports_of(module, ast.parse(source), module in PACKAGES):
        joined = f"{base}.{name}"
        target = joined if joined in modules else base
        if target.startswith(f"{PACKAGE}.{floor_of(module)}."):
            yield target


def room_faults(module: str, source: str, modules: set[str]) -> list[str]:
    """List the imports of a module that do not lead down the tower of its floor."""
    tower, own = rooms_of(floor_of(module)), room_of(module)
    height = {room: -number for number, level in enumerate(tower) for room in level}
    if own and own not in height:
        return [f"{module}: stands in no room"]
    return [
        f"{module}: imports {target} from a room that is not below"
        for target in neighbours_of(module, source, modules)
        if own and own != room_of(target) and height.get(room_of(target), 0) >= height[own]
    ]


def circle_faults(sources: dict[str, str]) -> list[str]:
    """Name one circle of rooms of a floor that import each other."""
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        own = f"{floor_of(module)}.{room_of(module)}"
        for target in neighbours_of(module, source, set(sources)):
            room = f"{floor_of(target)}.{room_of(target)}"
            graph.setdefault(own, set()).update({room} - {own})
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def crowded(modules: set[str], packages: set[str]) -> list[str]:
    """List the folders with more modules than a reader takes in at a glance."""
    sizes = Counter(module.rpartition(".")[0] for module in modules - packages)
    return [folder for folder, size in sizes.items() if size > MOST_MODULES]


def same_names(modules: set[str], packages: set[str]) -> list[str]:
    """List the names that two modules of one floor share."""
    names = Counter((floor_of(m), m.rpartition(".")[2]) for m in modules - packages)
    return [f"{floor}: {name}" for (floor, name), number in names.items() if number > 1]


def unexplained(package: str, source: str) -> list[str]:
    """List a folder whose docstring does not say in one sentence what it holds and may use."""
    first = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    says = re.fullmatch(r"[^.]+(\.\w+[^.]*)*(uses|may use)[^.]+\.", first)
    return [] if says else [f"{package}: {first or 'no docstring'}"]


@pytest.mark.parametrize("floor", sorted(TOWERS))
def test_rooms_import_downwards(floor: str) -> None:
    found = {m: text for m, text in SOURCES.items() if floor_of(m) == floor}
    assert [f for m, text in found.items() for f in room_faults(m, text, set(SOURCES))] == []
    assert circle_faults(found) == []
    rooms = {room_of(module) for module in found} - {""}
    assert rooms == set().union(*rooms_of(floor))


def test_every_folder_is_a_room_of_a_tower() -> None:
    assert {floor_of(package) for package in PACKAGES} - {""} == set(TOWERS)


def test_folders_are_small_and_explained() -> None:
    assert crowded(set(SOURCES), PACKAGES) == []
    assert same_names(set(SOURCES), PACKAGES) == []
    folders = sorted(PACKAGES - {PACKAGE})
    assert [fault for folder in folders for fault in unexplained(folder, SOURCES[folder])] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("http.limiter", f"from {PACKAGE}.api.client import PipedreamClient"),
        ("http.limiter", "def late():\n    from ..methods import reads"),
        ("http.limiter", f"if TYPE_CHECKING:\n    from {PACKAGE}.api.pages import walk"),
        ("protocol", f"from {PACKAGE}.api import client"),
        ("protocol", f"from {PACKAGE}.api.http.limiter import Limiter"),
        ("protocol", f"from {PACKAGE}.api.stray import x"),
        ("stray", "import dlt"),
    ],
)
def test_an_import_upwards_is_found(module: str, source: str) -> None:
    assert room_faults(f"{PACKAGE}.api.{module}", source, set(SOURCES))


def test_other_faults_are_found() -> None:
    assert not room_faults(f"{PACKAGE}.api.client", f"from {PACKAGE}.api.http import auth", set())
    there, back = f"import {PACKAGE}.api.b.y", f"import {PACKAGE}.api.a.x"
    assert circle_faults({f"{PACKAGE}.api.a.x": there, f"{PACKAGE}.api.b.y": back})
    assert not circle_faults({f"{PACKAGE}.api.a.x": there, f"{PACKAGE}.api.b.y": ""})
    full = {f"{PACKAGE}.api.a.m{number}" for number in range(MOST_MODULES + 1)}
    assert crowded(full, set()) == [f"{PACKAGE}.api.a"]
    assert not crowded(full, {f"{PACKAGE}.api.a.m0"})
    assert same_names({f"{PACKAGE}.api.a.x", f"{PACKAGE}.api.b.x"}, set()) == ["api: x"]
    assert not same_names({f"{PACKAGE}.api.a.x", f"{PACKAGE}.cli.b.x"}, set())
    assert unexplained("p", "'''Rows as tables.'''") == ["p: Rows as tables."]
    assert unexplained("p", "'''Rows. As tables; may use `core`.'''")
    assert not unexplained("p", "'''Rows in `.dlt/x`; uses no other room.'''")
