"""Keeps the package a tower of floors: each module imports only from the floors below its own."""

import ast
import graphlib
import os
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.modules import (
    PACKAGE,
    PACKAGES,
    PATHS,
    ROOT,
    SOURCES,
    floor_of,
    imports_of,
)

# What each floor may import of ours besides itself; the empty name stands for the package's root.
GROUND = {"settings", "exceptions"}
FLOORS = {
    "settings": set(),
    "exceptions": set(),
    "core": GROUND,
    "api": GROUND | {"core"},
    "resources": GROUND | {"core", "api"},
    "source": GROUND | {"core", "api", "resources"},
    "certificate": GROUND | {"core", "resources"},
    "running": GROUND | {"core", "api", "resources", "source"},
    "cli": GROUND | {"", "core", "api", "resources", "source", "certificate", "running", "sandbox"},
    "sandbox": set(),
    "": GROUND | {"core", "api", "resources", "source", "certificate", "running"},
}
IMPURE_MODULES = {
    *("asyncio", "concurrent", "http", "io", "multiprocessing", "os", "pathlib", "random"),
    *("secrets", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time"),
    *("urllib.request", "queue", "ssl"),
}
IMPURE_CALLS = {"open", "now", "utcnow", "today", "monotonic", "perf_counter", "sleep"}
OUTSIDE = ("pipelines", "notebooks", "benchmarks")
CATCH_ALLS = {"utils.py", "util.py", "helpers.py", "misc.py"}
# Package indexes, in parts so that this file does not name them.
HOSTS = [
    f"{name}.{end}"
    for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))
]
HOSTS += [".".join(("deb", "debian", "org"))]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def target_of(base: str, name: str, modules: set[str]) -> str:
    """Resolve `from base import name` to the module that it reaches."""
    joined = f"{base}.{name}"
    if joined in modules or (base == PACKAGE and name in FLOORS):
        return joined
    return base


def import_faults(
    module: str, source: str, modules: set[str], is_package: bool = False
) -> list[str]:
    """List the imports of a module of the package that its floor does not allow."""
    own, faults = floor_of(module), []
    for base, name in imports_of(module, ast.parse(source), is_package):
        target = target_of(base, name, modules)
        if target.split(".")[0] != PACKAGE:
            if own == "core" and target.split(".")[0] not in sys.stdlib_module_names:
                faults.append(f"{module}: the core imports {target}")
            continue
        floor = floor_of(target)
        if own not in FLOORS:
            faults.append(f"{module}: stands on no floor")
        elif floor != own and floor not in FLOORS[own]:
            faults.append(f"{module}: {own or 'the root'} imports {target}")
        parts = [*target.split("."), name]
        if floor != own and any(p.startswith("_") and not p.startswith("__") for p in parts):
            faults.append(f"{module}: takes the private {target}.{name}")
    return faults


def purity_faults(module: str, source: str) -> list[str]:
    """List what a module of the core does with clocks, files, threads or the network."""
    faults, tree = [], ast.parse(source)
    for base, name in imports_of(module, tree):
        if {base, base.split(".")[0], f"{base}.{name}"} & IMPURE_MODULES:
            faults.append(f"{module}: imports {base}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in IMPURE_CALLS:
                faults.append(f"{module}: calls {called}()")
    return faults


def outside_faults(name: str, source: str, public: set[str]) -> list[str]:
    """List the imports of a script that are not public names of the package."""
    return [
        f"{name}: takes {base}.{taken}"
        for base, taken in imports_of(name, ast.parse(source))
        if base.split(".")[0] == PACKAGE
        # The sandbox is a public thing of its own, documented as such.
        and (base, taken) != (f"{PACKAGE}.sandbox", "Sandbox")
        and (base != PACKAGE or taken.startswith("_") or (taken and taken not in public))
    ]


def print_faults(module: str, source: str) -> list[str]:
    """List the calls of print."""
    return [
        f"{module}:{node.lineno}: print()"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]


def public_nodes(tree: ast.AST) -> Iterator[Function | ast.ClassDef]:
    """Yield public functions and classes, and the public methods of public classes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(d).split(".")[-1] for d in node.decorator_list}
            if not decorators & {"overload", "override", "setter"}:
                yield node
            if isinstance(node, ast.ClassDef):
                yield from public_nodes(node)


def docstring_faults(module: str, source: str) -> list[str]:
    """List the public names without a docstring, the module among them."""
    tree = ast.parse(source)
    faults = [] if ast.get_docstring(tree) else [f"{module}: no docstring"]
    faults += [
        f"{module}:{node.lineno}: {node.name} has no docstring"
        for node in public_nodes(tree)
        if not ast.get_docstring(node)
    ]
    return faults


def body_lengths(source: str) -> list[int]:
    """Measure the lines of each function's body, without its docstring; stubs do not count."""
    lengths = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body and ast.unparse(body[0]) != "...":
                lengths.append((body[-1].end_lineno or 0) - body[0].lineno + 1)
    return lengths


def length_faults(lengths: list[int]) -> list[str]:
    """Compare the median and the ninth decile of function lengths with their ceilings."""
    if len(lengths) < 2:
        return []
    median, ninth = statistics.median(lengths), statistics.quantiles(lengths, n=10)[-1]
    faults = [f"median function length {median} is over 12"] if median > 12 else []
    return faults + ([f"p90 of function lengths {ninth} is over 30"] if ninth > 30 else [])


def circle_faults(sources: dict[str, str]) -> list[str]:
    """Name one circle of modules that import each other, wherever in them an import stands."""
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        is_package = any(other.startswith(f"{module}.") for other in sources)
        found = {
            target_of(base, name, set(sources))
            for base, name in imports_of(module, ast.parse(source), is_package)
        }
        graph[module] = (found & set(sources)) - {module}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def host_faults(name: str, text: str) -> list[str]:
    """List the package indexes that a text names."""
    return [f"{name}: names {host}" for host in HOSTS if host in text]


def text_files() -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file that belongs to the repository."""
    skipped = {"node_modules", "build", "dist", "target", "dbt_packages", "logs", "__pycache__"}
    kept_hidden = {".ci", ".github", ".dlt"}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            f for f in folders if f in kept_hidden or (f not in skipped and not f.startswith("."))
        ]
        for file in files:
            path = Path(folder, file)
            try:
                yield str(path.relative_to(ROOT)), path.read_text("utf-8")
            except (UnicodeDecodeError, OSError):
                continue


def sources_of(*floors: str) -> list[tuple[str, str]]:
    """Give the name and source of each module on these floors."""
    return [(module, text) for module, text in SOURCES.items() if floor_of(module) in floors]


def test_no_module_imports_from_above_its_floor() -> None:
    faults = [
        fault
        for module, source in SOURCES.items()
        for fault in import_faults(module, source, set(SOURCES), module in PACKAGES)
    ]
    assert faults == []


def test_the_core_is_pure() -> None:
    assert [f for module, text in sources_of("core") for f in purity_faults(module, text)] == []


def test_scripts_use_public_names() -> None:
    tree = ast.parse(SOURCES.get(PACKAGE, ""))
    public = {
        name
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    }
    scripts = [path for folder in OUTSIDE for path in sorted((ROOT / folder).rglob("*.py"))]
    faults = [f for p in scripts for f in outside_faults(p.name, p.read_text("utf-8"), public)]
    assert faults == []


def test_no_circles() -> None:
    assert circle_faults(SOURCES) == []


def test_modules_are_small_and_named_for_what_they_hold() -> None:
    folders = (PACKAGE, "tests", *OUTSIDE)
    all_paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(all_paths) > len(PATHS)
    assert [p.name for p in all_paths if len(p.read_text("utf-8").splitlines()) > 400] == []
    assert [p.name for p in PATHS if p.name in CATCH_ALLS] == []


def test_functions_are_short() -> None:
    assert length_faults([n for text in SOURCES.values() for n in body_lengths(text)]) == []


def test_public_names_have_docstrings() -> None:
    assert [f for module, text in SOURCES.items() for f in docstring_faults(module, text)] == []


def test_only_the_command_prints() -> None:
    floors = set(FLOORS) - {"cli"}
    assert [f for module, text in sources_of(*floors) for f in print_faults(module, text)] == []


def test_no_file_names_a_package_index() -> None:
    assert [fault for name, text in text_files() for fault in host_faults(name, text)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.polls.window", "from pipedream_source.api import client"),
        ("core.polls.window", "from ...api.client import PipedreamClient"),
        ("core.polls.window", "def late():\n    import pipedream_source.source"),
        ("core.polls.window", "import dlt"),
        ("core.polls.window", "from requests import Session"),
        ("settings", "from pipedream_source import exceptions"),
        ("exceptions", "from .settings import PAGE_SIZE"),
        ("api.client", "from pipedream_source.resources import polling"),
        ("api.client", "from pipedream_source.core.polls.window import _judge"),
        ("resources.events", "from pipedream_source import pipedream_source"),
        ("source", "from pipedream_source.running import load"),
        ("running.load", "from pipedream_source.sandbox import server"),
        ("running.load", "from pipedream_source.cli.app import main"),
        ("sandbox.server", "from pipedream_source.core import event_id"),
        ("sandbox.server", "from ..settings import PAGE_SIZE"),
        ("stray", "from pipedream_source import settings"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    assert import_faults(f"{PACKAGE}.{module}", source, {f"{PACKAGE}.settings"})


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "core.polls.window",
            "import math\nfrom pipedream_source import settings\nfrom . import pace",
        ),
        ("core.polls.window", "from pipedream_source.core.completeness.loss import _rate"),
        ("api.client", "import requests\nfrom ..core.polls.window import judge"),
        ("cli.app", "from pipedream_source.sandbox import server\nimport pipedream_source"),
        ("sandbox.server", "import starlette\nfrom .routes import ROUTES"),
    ],
)
def test_an_allowed_import_passes(module: str, source: str) -> None:
    assert import_faults(f"{PACKAGE}.{module}", source, {f"{PACKAGE}.settings"}) == []


@pytest.mark.parametrize(
    "source",
    [
        *("import time", "from datetime import datetime\ndatetime.now()", "open('x')"),
        *("from pathlib import Path", "import urllib.request", "from urllib import request"),
        "import threading",
    ],
)
def test_impurity_is_found(source: str) -> None:
    assert purity_faults("core.x", source)
    assert purity_faults("core.x", "from urllib.parse import quote\nquote('x')") == []


def test_other_faults_are_found() -> None:
    a, b = f"from {PACKAGE}.core import b", f"from {PACKAGE}.core.a import x"
    assert circle_faults({f"{PACKAGE}.core.a": a, f"{PACKAGE}.core.b": b})
    assert circle_faults({f"{PACKAGE}.core.a": f"def f():\n  {a}", f"{PACKAGE}.core.b": b})
    assert circle_faults({f"{PACKAGE}.core.a": f"if TYPE_CHECKING:\n  {a}", f"{PACKAGE}.core.b": b})
    assert not circle_faults({f"{PACKAGE}.core.a": "", f"{PACKAGE}.core.b": b})
    assert outside_faults("nb", f"from {PACKAGE}.api.client import PipedreamClient", set())
    assert outside_faults("nb", f"from {PACKAGE} import hidden", {"PipedreamClient"})
    assert not outside_faults("nb", f"from {PACKAGE} import pipedream_source", {PACKAGE})
    assert print_faults("m", "print('x')")
    assert len(docstring_faults("m", "def f(): pass\nclass C:\n  def m(self): pass")) == 4
    assert docstring_faults("m", "'''Doc.'''\ndef _f(): pass") == []
    assert body_lengths("def f():\n  '''Doc.'''\n  a = 1\n\n  return a") == [3]
    assert len(length_faults([40] * 20)) == 2
    assert host_faults("readme", f"see https://{HOSTS[0]}/simple")
