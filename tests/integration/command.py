"""Runs the real command as a user would, in a folder of its own, against a sandbox on a port."""

import gc
import io
import json
import logging
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipedream_source.cli.app import main
from pipedream_source.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "pipedream_events.duckdb"


@dataclass
class Command:
    """The command in a folder.

    Attributes:
        folder: where it runs; also its home.
        sandbox: whose key and address it gets through the environment.
    """

    folder: Path
    sandbox: Sandbox | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        kept |= {"HOME": str(self.folder), "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        kept |= {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        if self.sandbox is not None:
            kept["PIPEDREAM_API_KEY"] = self.sandbox.api_key
            kept["PIPEDREAM_BASE_URL"] = self.sandbox.url
        return kept

    @staticmethod
    def line(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "pipedream_source.cli.app", *arguments]

    def run(self, *arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        """Run it to its end within this process, where dlt is imported already.

        A variable that is None is taken out of the environment.
        """
        return self._within(partial(_code_of, arguments), arguments, environment)

    def script(self, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a Python file to its end within this process; dlt works in a folder beside it."""
        environment = {"DLT_DATA_DIR": str(self.folder / "data"), **environment}
        return self._within(partial(_code_of_script, path), (str(path),), environment)

    def _within(
        self,
        call: Callable[[], int],
        arguments: tuple[str, ...],
        environment: Mapping[str, str | None],
    ) -> subprocess.CompletedProcess[str]:
        wrote = io.BytesIO(), io.BytesIO()
        out, err = (io.TextIOWrapper(stream, "utf-8", write_through=True) for stream in wrote)
        with (
            _place(self.folder, self._with(environment)),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = call()
        texts = [stream.getvalue().decode() for stream in wrote]
        return subprocess.CompletedProcess(arguments, code, *texts)

    def process(
        self, *arguments: str, **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end in a process of its own."""
        return subprocess.run(
            self.line(*arguments),
            cwd=self.folder,
            env=self._with(environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def _with(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        merged = {**self.environment, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it and return at once."""
        return subprocess.Popen(
            self.line(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run it with `--json` and return the one value it wrote."""
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@contextmanager
def _place(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Stand in a folder with this environment and no terminal; put back all that `main` changes."""
    logger = logging.getLogger("pipedream_source")
    with ExitStack() as put_back:
        put_back.callback(os.umask, os.umask(0o022))
        put_back.callback(gc.set_threshold, *gc.get_threshold())
        put_back.callback(setattr, logger, "handlers", logger.handlers)
        put_back.callback(setattr, logger, "propagate", logger.propagate)
        put_back.enter_context(warnings.catch_warnings())
        put_back.enter_context(patch.object(sys, "stdin", io.StringIO()))
        # A test may stand in a folder with credentials, which the next one must not find.
        put_back.callback(lambda: read_configuration(Path.home()))
        put_back.enter_context(chdir(folder))
        put_back.enter_context(patch.dict(os.environ, environment, clear=True))
        read_configuration(Path.cwd())
        yield


def read_configuration(folder: Path) -> None:
    """Have dlt find its files in a folder, as a new process there would."""
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    Container()[PluggableRunContext].reload(str(folder))


def _code_of(arguments: tuple[str, ...]) -> int:
    with patch.object(sys, "argv", ["pipedream-source", *arguments]):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0


def _code_of_script(path: Path) -> int:
    with patch.object(sys, "argv", [str(path)]):
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0


def id_of(sandbox: Sandbox, name: str) -> str:
    """Return the id of the emitter of this name."""
    (found,) = [e["id"] for e in sandbox.state()["emitters"] if e["name"] == name]
    return str(found)
