"""Take the README's pictures: `python -m tests.notebooks.pictures`, a minute, with Chromium."""

import os
import tempfile
from pathlib import Path

from notebooks.offline.__main__ import exported
from notebooks.offline.bundle import FOLDER, offline, write_frontend
from tests.integration.command import Command
from tests.notebooks import browser
from tests.notebooks.running import ROOT

IMAGES = ROOT / "docs" / "images"
# Name, on a light or dark desktop, charts to wait for, pixels from the top.
TAKEN = (
    ("completeness", "light", 2, 1_290),
    ("errors", "dark", 3, 1_420),
    ("events", "light", 2, 1_450),
)


def take() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        done = Command(Path(folder)).run("demo")
        assert done.returncode == 0, done.stderr
        write_frontend(Path(FOLDER))
        for name, scheme, charts, height in TAKEN:
            notebook = ROOT / "notebooks" / f"{name}.py"
            page = Path(f"{name}.html")
            page.write_text(offline(exported(notebook, Path("pipedream_demo.duckdb"))), "utf-8")
            with browser.opened(page, scheme) as shown:
                shown.seen("2,552 events", charts=charts)
                shown.call("Runtime.evaluate", expression=_NO_NOTICE)
                shown.picture(IMAGES / f"{name}.png", height)


# The notice that a page has no kernel, which goes by itself after a while.
_NO_NOTICE = """
for (const part of document.querySelectorAll("body *"))
  if (getComputedStyle(part).position === "fixed" && /Static notebook/.test(part.textContent))
    part.remove();
"""

if __name__ == "__main__":
    take()
