"""Run a notebook as marimo's scripts run, and take what its cells define."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NAMES = ("quickstart", "events", "errors", "completeness", "usage")


def run(name: str, database: Path) -> dict[str, Any]:
    """Run all cells within this process; returns what they define by its name."""
    spec = importlib.util.spec_from_file_location(f"notebook_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    beside = [str(FOLDER), *sys.path]
    named = {"PIPEDREAM_DATABASE": str(database)}
    with patch.object(sys, "path", beside), patch.dict(os.environ, named):
        spec.loader.exec_module(module)
        _, defined = module.app.run()
    return dict(defined)


def script(name: str) -> list[str]:
    return [sys.executable, str(FOLDER / f"{name}.py")]
