"""Another process that has the database open, as a notebook or a shell does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = (
    "import sys, duckdb; c = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'reader'); "
    "print('open', flush=True); sys.stdin.read()"
)


@contextmanager
def held(database: Path, role: str = "writer") -> Iterator[None]:
    """Hold the database open while the block runs.

    Args:
        database: the file.
        role: `reader` or `writer`; either keeps loads out, a writer keeps readers out too.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(database), role],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        yield
        other.communicate()
