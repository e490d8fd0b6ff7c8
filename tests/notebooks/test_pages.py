"""The exported pages open in a real browser that reaches no network."""

import re
import stat
from pathlib import Path

import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")

from notebooks.offline import __main__ as export
from notebooks.offline.bundle import FOLDER, offline, write_frontend
from notebooks.offline.pictures import charts_of, write_charts
from notebooks.reading.database import Database
from tests.notebooks import browser
from tests.notebooks.databases import rows
from tests.notebooks.running import FOLDER as FOLDER_OF_NOTEBOOKS
from tests.notebooks.running import NAMES, ROOT

needs_browser = pytest.mark.skipif(not browser.INSTALLED, reason="no Chromium is installed")
# What each page shows of the demo, and how many charts.
SEEN = {
    "quickstart": (("Five questions", "source_event_summaries", "overrun"), 0),
    "events": (("Sensor gateway", "146", "$.sku", "Take them with you"), 2),
    "errors": (("263", "SyntaxError", "Order fulfilment", "at JSON.parse"), 3),
    "completeness": (("0 to 207, likely 141", "A poll at least every 2 minutes is safe"), 2),
    "usage": (("the quota is used up", "Shop orders"), 2),
}


def write_page(name: str, database: Path, folder: Path) -> Path:
    write_frontend(folder / FOLDER)
    page = folder / f"{name}.html"
    page.write_text(offline(export.exported(ROOT / "notebooks" / f"{name}.py", database)), "utf-8")
    return page


def check(name: str, page: Path, picture: Path, scheme: str = "light") -> None:
    wanted, charts = SEEN[name]
    with browser.opened(page, scheme) as shown:
        text = shown.seen("2,552 events", *wanted, charts=charts)
        shown.picture(picture, height=1_600)
    assert "Something went wrong" not in text
    assert shown.problems == []
    addresses = {re.split(r"[:,]", request)[0] for request in shown.requests}
    assert addresses <= {"file", "data", "blob"}, shown.requests
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    # A blank page of this size has some 8 kB.
    assert picture.stat().st_size > 40_000


@needs_browser
def test_a_page_opens_by_a_double_click(demo: Path, tmp_path: Path) -> None:
    page = write_page("completeness", demo, tmp_path)
    assert "://" not in "".join(re.findall(r"""(?:src|href)=["'][^"']*""", page.read_text("utf-8")))
    check("completeness", page, tmp_path / "picture.png")


@pytest.mark.chaos
@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page(demo: Path, tmp_path: Path, scheme: str) -> None:
    pages = tmp_path / "html"
    assert export.main(["--database", str(demo), "--to", str(pages)]) == 0
    for name in NAMES:
        check(name, pages / f"{name}.html", tmp_path / f"{name}.png", scheme)
    assert stat.S_IMODE(pages.stat().st_mode) == 0o700
    # Nothing of what the cells showed stays beside the notebooks.
    assert list((FOLDER_OF_NOTEBOOKS / "__marimo__").rglob("*.json")) == []


@pytest.mark.chaos
@needs_browser
def test_pages_of_an_empty_database(empty: Path, tmp_path: Path) -> None:
    assert export.main(["--database", str(empty), "--to", str(tmp_path)]) == 0
    for name in NAMES:
        with browser.opened(tmp_path / f"{name}.html") as shown:
            shown.seen("0 events", "Nothing was polled yet.", charts=0)
        assert shown.problems == []


def test_charts_alone_need_nothing_else(demo: Path, tmp_path: Path) -> None:
    database = Database.find(demo)
    drawn = dict(charts_of(database))
    assert list(drawn) == [
        *("pace", "sizes", "errors", "errors-by-workflow", "completeness", "headroom"),
        *("quotas", "top-emitters"),
    ]
    files = list(write_charts(database, tmp_path, only=("headroom",)))
    page, picture = files
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    text = page.read_text("utf-8")
    assert not re.search(r"""(?:src|href)=["']\w+:""", text)
    assert rows(demo, "SELECT name FROM sources WHERE name = 'Deploy hooks'") == [("Deploy hooks",)]
    assert "Deploy hooks" in text


def test_charts_of_an_empty_database(empty: Path) -> None:
    assert dict(charts_of(Database.find(empty))) == {}


def test_no_database_is_told_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "gone.duckdb"
    assert export.main(["--database", str(missing), "--to", str(tmp_path / "html")]) == 2
    assert "`make demo`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_another_marimo_is_refused() -> None:
    with pytest.raises(ValueError, match="no script is found"):
        offline("<html></html>")
