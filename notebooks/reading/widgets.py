"""Widgets and views that the notebooks share, apart from those that choose a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args

import marimo as mo
import pandas as pd

from . import events, json_tree
from .database import Database
from .events import FileFormat, Selection
from .words import bytes_of, harmless, moment

_STEPS = {"fitting": None, "minute": 60, "hour": 3_600, "day": 86_400}
_MIME = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/x-ndjson",
}
# Up to this, a file is put into the page, so that it can be saved from an exported page too.
_IN_PAGE_BYTES = 200_000
_SCROLLED = {"max-height": "24rem", "overflow": "auto"}


def table(frame: pd.DataFrame, **options: Any) -> mo.ui.table:
    """Return a frame as a table to read, not to select from."""
    settings: dict[str, Any] = {
        "selection": None,
        "page_size": 10,
        "show_column_summaries": False,
        "show_data_types": False,
        "show_download": False,
    }
    return mo.ui.table(_readable(frame), **(settings | options))


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with times to the second and no more decimals than people read."""
    times = frame.select_dtypes("datetimetz")
    shown = frame.copy()
    for name in times:
        shown[name] = times[name].dt.strftime("%Y-%m-%d %H:%M:%S")
    return shown.round(4)


def figures(**told: object) -> mo.Html:
    """Return figures beside each other, each with its label (`_` is a space)."""
    return mo.hstack(
        [mo.stat(str(v), label=name.replace("_", " "), bordered=True) for name, v in told.items()],
        widths="equal",
        wrap=True,
    )


def event_filters(first: pd.Timestamp, last: pd.Timestamp) -> mo.ui.dictionary:
    """Return the widgets that narrow the events of a stream: days, a text, the step of time."""
    days = (first.date(), last.date())
    return mo.ui.dictionary(
        {
            "days": mo.ui.date_range(start=days[0], stop=days[1], value=days, label="Days (UTC)"),
            "text": mo.ui.text(placeholder="any text of the payload", label="Search"),
            "step": mo.ui.dropdown(list(_STEPS), value="fitting", label="Bars"),
        }
    )


def selection(stream: pd.Series, filters: mo.ui.dictionary) -> Selection:
    """Return what was picked: a row of `streams` and the filters beside it."""
    begin, end = filters.value["days"]
    return Selection(
        stream["source_table"],
        stream["emitter_id"],
        stream["channel"],
        since=datetime.combine(begin, time(), UTC),
        # Ids may lie: there is no day after the last one of the calendar.
        until=None if end == date.max else datetime.combine(end, time(), UTC) + timedelta(days=1),
        text=filters.value["text"],
    )


def bar_seconds(filters: mo.ui.dictionary, found: dict[str, Any]) -> int:
    """Return the step of time that was picked, or the fitting one."""
    picked = _STEPS[filters.value["step"]]
    return picked or events.bar_seconds(found["first_at"], found["last_at"], found["events"])


def json_view(text: str | None) -> mo.Html:
    """Return JSON to fold and unfold, and as the text that it is."""
    if text is None:
        return mo.md("*None is stored: the API sent none, or `prune` moved it to an archive.*")
    views: dict[str, Any] = {"As sent": text_view(text)}
    if (tree := json_tree.tree(text)) is not None:
        views = {"Tree": mo.Html(tree).style(_SCROLLED)} | views
    return mo.ui.tabs(views)


def text_view(text: str) -> mo.Html:
    """Return a text as it is, in a box that scrolls."""
    return mo.plain_text(text).style(_SCROLLED)


def whole_event(found: pd.Series | None) -> mo.Html:
    """Return one event in full."""
    if found is None:
        return mo.md("*This event is not in the database any more.*")
    told = " · ".join(
        (
            f"**{harmless(found['id'])}**",
            f"emitted {moment(found['emitted_at'])}",
            f"state {harmless(found['event_state'])}",
        )
    )
    payload = None if pd.isna(found["payload"]) else found["payload"]
    return mo.vstack([mo.md(told), json_view(payload)])


def downloads(database: Database, chosen: Selection, found: dict[str, Any]) -> mo.Html:
    """Return a button for each form in which the selected events can be saved."""

    def button(file_format: FileFormat) -> mo.Html:
        def made() -> bytes:
            return events.file_of(database, chosen, file_format)

        return mo.download(
            made() if found["bytes"] <= _IN_PAGE_BYTES else made,
            filename=events.file_name(chosen, file_format),
            mimetype=_MIME[file_format],
            label=file_format.upper() if file_format == "csv" else file_format.capitalize(),
        )

    size = mo.md(f"{bytes_of(found['bytes'])} of payloads")
    return mo.hstack([*map(button, get_args(FileFormat)), size], justify="start", align="center")


def command_view(made: tuple[str | None, str]) -> mo.Html:
    """Return a command to edit and copy, or why there is none."""
    text, why = made
    if text is None:
        return mo.callout(why, kind="info")
    return mo.ui.code_editor(text, language="shell", min_height=60, max_height=300)
