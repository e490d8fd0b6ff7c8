"""marimo's frontend, as files that a browser takes from a disk.

`marimo export html` writes a page whose scripts and styles come from a CDN. The same files lie in
marimo's package, but as modules, which browsers refuse to load from `file://`. So all of them go
into one plain script, `modules.js`, from which `boot.js` starts the page.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import marimo

#: Beside the pages.
FOLDER = "marimo"

_STATIC = Path(marimo.__file__).parent / "_static"
_CDN = re.compile(r"https://[^\"'\s]*/@marimo-team/frontend@[^/\"'\s]+/dist/")
_ENTRY = re.compile(r'<script type="module"[^>]*src="marimo/assets/([^"]+)"[^>]*></script>')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]*href="marimo/assets/([^"]+)"[^>]*>\s*')
# Hints that a page from a disk cannot follow, and a manifest for installing it.
_HINT = re.compile(r'<link rel="(?:modulepreload|preload|manifest)"[^>]*>\s*')
_IMPORTED = re.compile(r"([\"'`])\./([\w.@$-]+\.js)\1")
_PICTURES = ("*.png", "*.ico", "assets/*.woff2", "assets/*.ttf", "assets/*.png", "assets/*.svg")


def write_frontend(folder: Path) -> None:
    """Write `modules.js`, fonts and pictures into a folder beside the pages."""
    for pattern in _PICTURES:
        for file in _STATIC.glob(pattern):
            target = folder / file.relative_to(_STATIC)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    assets = _STATIC / "assets"
    styles = {file.name: file.read_text("utf-8") for file in sorted(assets.glob("*.css"))}
    index = localized((_STATIC / "index.html").read_text("utf-8").replace('"./', f'"{FOLDER}/'))
    page = {
        "modules": _modules(assets),
        "styles": styles,
        "entry": _found(_ENTRY, index, "script"),
        "linked": _STYLE.findall(index),
    }
    boot = Path(__file__).with_name("boot.js").read_text("utf-8")
    text = f"window.__marimoPage = {json.dumps(page)};\n{boot}"
    (folder / "modules.js").write_text(text, "utf-8")


def localized(page: str) -> str:
    """Point a page that marimo exported at the folder beside it instead of a CDN."""
    return _CDN.sub(f"{FOLDER}/", page)


def offline(page: str) -> str:
    """Return a page that marimo exported as one that needs no network and no server.

    Raises:
        ValueError: the page does not look as this marimo's pages do.
    """
    local = localized(page)
    entry = _found(_ENTRY, local, "script")
    start = (
        f'<script src="{FOLDER}/modules.js"></script>\n'
        f'    <script type="module">import "{FOLDER}/{entry}";</script>'
    )
    return _ENTRY.sub(lambda _: start, _STYLE.sub("", _HINT.sub("", local)))


def _found(pattern: re.Pattern[str], page: str, what: str) -> str:
    match = pattern.search(page)
    if match is None:
        raise ValueError(f"marimo {marimo.__version__} writes pages in which no {what} is found")
    return match[1]


def _modules(assets: Path) -> dict[str, str]:
    """Return each module's text; they import each other by names that an import map knows."""
    files = {file.name: file.read_text("utf-8") for file in sorted(assets.glob("*.js"))}

    def named(match: re.Match[str]) -> str:
        quote, name = match.groups()
        return f"{quote}{FOLDER}/{name}{quote}" if name in files else match[0]

    return {
        name: _IMPORTED.sub(named, text).replace("import.meta.url", "window.__marimoBase")
        for name, text in files.items()
    }
