"""The package's modules and what they import, for the tests of its architecture."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "pipedream_source"


def module_name(path: Path) -> str:
    """Give the dotted name of a file of the package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor_of(module: str) -> str:
    """Give the floor of one of our modules, and nothing for the package's root."""
    return module.split(".")[1] if "." in module else ""


def imports_of(module: str, tree: ast.AST, is_package: bool = False) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of each import below a node; the name is empty for plain imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
                base = ".".join([*kept, *([base] if base else [])])
            yield from ((base, alias.name) for alias in node.names)


PATHS = sorted((ROOT / PACKAGE).rglob("*.py"))
SOURCES = {module_name(path): path.read_text("utf-8") for path in PATHS}
PACKAGES = {module_name(path) for path in PATHS if path.name == "__init__.py"}
