"""A real browser without a network, asked over its debugging protocol what it shows."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALLED = next((path for name in NAMES if (path := shutil.which(name))), None)
_PATIENCE_S = 120.0
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # No name resolves and no address answers: what is shown came from the disk.
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
    *("--remote-debugging-port=0", "--hide-scrollbars", "--window-size=1200,900"),
)
# The texts of a page, those within custom elements too, and how many charts it holds.
_SEEN = """(() => {
  const texts = []; let charts = 0;
  const walk = (node) => {
    if (node.nodeType === 3) texts.push(node.data);
    if (node.nodeName === "STYLE" || node.nodeName === "SCRIPT") return;
    if (node.nodeName === "CANVAS" || node.classList?.contains("marks")) charts += 1;
    if (node.shadowRoot) node.shadowRoot.childNodes.forEach(walk);
    node.childNodes.forEach(walk);
  };
  walk(document.body);
  return JSON.stringify({ text: texts.join(" ").replace(/\\s+/g, " "), charts });
})()"""


class Page:
    """A page that the browser opened.

    Attributes:
        requests: the addresses that it asked for.
        problems: errors that it wrote, and requests that failed.
    """

    def __init__(self, socket: Any) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._socket = socket
        self._calls = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser, and note what it tells meanwhile."""
        self._calls += 1
        self._socket.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv(timeout=_PATIENCE_S))
            if told.get("id") == self._calls:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            self._note(told["method"], told["params"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Network.loadingFailed":
            self.problems.append(f"not loaded: {told['errorText']}")
        elif method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(told["exceptionDetails"])[:500])

    def open(self, file: Path, scheme: str) -> None:
        """Open a file as a double click does."""
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=wanted)
        self.call("Page.navigate", url=file.resolve().as_uri())

    def seen(self, *wanted: str, charts: int) -> str:
        """Wait until texts and charts are there; returns all text."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            found = self.call("Runtime.evaluate", expression=_SEEN)["result"].get("value", "{}")
            seen = json.loads(found)
            text: str = seen.get("text", "")
            missing = [one for one in wanted if one not in text]
            if not missing and seen["charts"] >= charts:
                return text
            assert time.monotonic() < until, (missing, seen.get("charts"), self.problems, text)
            time.sleep(0.1)

    def picture(self, file: Path, height: int, width: int = 1200) -> None:
        """Take a picture of the page's top."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        # Charts follow the width a moment later.
        time.sleep(1)
        shot = self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def opened(file: Path, scheme: str = "light") -> Iterator[Page]:
    """Open a file in a browser of its own, on a light or a dark desktop, while the block runs."""
    from websockets.sync.client import connect

    assert INSTALLED
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [INSTALLED, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(Path(folder)), max_size=None) as socket:
                page = Page(socket)
                page.open(file, scheme)
                yield page
        finally:
            browser.terminate()
            browser.wait(timeout=_PATIENCE_S)


def _address(folder: Path) -> str:
    """Return where the browser's first page is asked."""
    import urllib.request

    noted = folder / "DevToolsActivePort"
    until = time.monotonic() + _PATIENCE_S
    while not (noted.is_file() and noted.read_text().strip()):
        assert time.monotonic() < until, "the browser did not start"
        time.sleep(0.05)
    port = noted.read_text().splitlines()[0]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        with opener.open(f"http://127.0.0.1:{port}/json/list", timeout=_PATIENCE_S) as answer:
            pages = [one for one in json.load(answer) if one["type"] == "page"]
        if pages:
            return str(pages[0]["webSocketDebuggerUrl"])
        assert time.monotonic() < until, "the browser opened no page"
        time.sleep(0.05)
