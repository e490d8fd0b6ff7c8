"""Makes the environments of `versions.toml` in a folder: `python tests/clients/install.py FOLDER`.

An environment whose versions did not change is left as it is.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

VERSIONS = Path(__file__).with_name("versions.toml")
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile")
# Scripts of packages stay unrun: none of these needs one.
NPM = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def run(*words: str) -> None:
    """Run a program to its end, and stop at its failure."""
    if subprocess.run(words, check=False).returncode:
        raise SystemExit(f"make test-clients: {' '.join(words)} failed; its message stands above.")


def install(kind: str, folder: Path, packages: list[str]) -> None:
    """Make one environment, unless it is there with these versions."""
    mark, wanted = folder / ".installed", "\n".join(packages)
    if mark.is_file() and mark.read_text("utf-8") == wanted:
        return
    sys.stdout.write(f"Setting up {folder} …\n")
    sys.stdout.flush()
    shutil.rmtree(folder, ignore_errors=True)
    if kind == "pip":
        run(sys.executable, "-m", "venv", str(folder))
        run(str(folder / "bin" / "python"), *PIP, *packages)
    else:
        folder.mkdir(parents=True)
        run(*NPM, "--prefix", str(folder), *packages)
    mark.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SystemExit("make test-clients: node or npm is missing; install Node.js 20 or newer.")
    for kind, environments in tomllib.loads(VERSIONS.read_text("utf-8")).items():
        for name, packages in environments.items():
            install(kind, Path(sys.argv[1]) / name, packages)
