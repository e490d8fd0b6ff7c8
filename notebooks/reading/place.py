"""What every notebook opens with: which database it reads, and how fresh that is."""

from __future__ import annotations

import marimo as mo

from .database import Database, NotReadable, candidates, choose
from .streams import provenance


def pickers() -> mo.ui.dictionary:
    """Return the widgets that choose a database: the files found, a path to type, read again."""
    found = [str(path) for path in candidates()]
    return mo.ui.dictionary(
        {
            "found": mo.ui.dropdown(
                found, value=found[0] if found else None, label="Database", full_width=True
            ),
            "typed": mo.ui.text(placeholder="or the path of another file", full_width=True),
            "again": mo.ui.refresh(options=["1m", "5m", "15m"], label="read again"),
        }
    )


def row(widgets: mo.ui.dictionary) -> mo.Html:
    """Return widgets beside each other."""
    return mo.hstack(list(widgets.elements.values()), justify="start", align="end", wrap=True)


def shown(widgets: mo.ui.dictionary) -> mo.Html:
    """Return the widgets of `pickers`, the path with room for its length."""
    parts = [widgets.elements[name] for name in ("found", "typed", "again")]
    return mo.hstack(parts, widths=[4, 3, 2], align="end")


def opened(widgets: mo.ui.dictionary) -> Database:
    """Return the chosen database; without one, stop the notebook with what to do."""
    try:
        return choose(widgets.value["typed"], widgets.value["found"])
    except NotReadable as error:
        message = str(error)
    if is_script():
        raise SystemExit(message)
    mo.stop(True, mo.callout(mo.md(message), kind="warn"))
    raise AssertionError("mo.stop returns never")


def is_script() -> bool:
    """Whether this runs as `python notebooks/….py`."""
    return mo.app_meta().mode == "script"


def header(database: Database) -> mo.Html:
    """Say where the data comes from and how fresh it is."""
    told = provenance(database)
    if is_script():
        print(told)
    return mo.callout(mo.md(told), kind="neutral")


def stop_when_empty(is_empty: bool, message: str) -> None:
    """Stop the cells below where there is nothing to show."""
    mo.stop(is_empty, mo.callout(mo.md(message), kind="info"))
