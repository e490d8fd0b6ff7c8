"""The charts, each from a frame that a query or a computation returned."""

from __future__ import annotations

import altair as alt
import pandas as pd

from .forecast import Period
from .palette import GREEN, GREY, ORANGE, PURPLE, SKY, STANDINGS, VERMILION

#: Black dashes on white: one of them is seen on any bar and on any page.
QUOTA_LINE = (("#FFFFFF", [1, 0]), ("#000000", [4, 3]))
_UTC = alt.Scale(type="utc")
_COUNTS = alt.Axis(tickMinStep=1, tickCount=6)
_CODES = 7
_LEAST_DAYS = 13
# Days at midnight, else hours and minutes, whatever the reader's own time zone is.
_CLOCK = alt.Axis(
    labelExpr="utchours(datum.value) + utcminutes(datum.value) + utcseconds(datum.value) == 0 "
    "? utcFormat(datum.value, '%b %d') : utcseconds(datum.value) == 0 "
    "? utcFormat(datum.value, '%H:%M') : utcFormat(datum.value, '%H:%M:%S')"
)


def _time(field: str) -> alt.X:
    return alt.X(f"{field}:T", title=None, scale=_UTC, axis=_CLOCK)


def _when(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:T", title=title, format="%Y-%m-%d %H:%M:%S", formatType="utc")


def _sized(chart: alt.Chart | alt.LayerChart, height: int) -> alt.Chart | alt.LayerChart:
    return chart.properties(width="container", height=height)


def pace(found: pd.DataFrame) -> alt.Chart:
    """Draw events over time; scrolling zooms, dragging moves, a double click shows all."""
    chart = (
        alt.Chart(found)
        .mark_rect(color=SKY)
        .encode(
            x=_time("start"),
            x2="end:T",
            y=alt.Y("events:Q", title="events", axis=_COUNTS),
            y2=alt.datum(0),
            tooltip=[_when("start", "from"), _when("end", "to"), "events:Q"],
        )
    )
    return _sized(chart, 220).interactive(bind_y=False)


def sizes(found: pd.DataFrame) -> alt.Chart:
    """Draw how large payloads are; each step to the right doubles."""
    ends = [found["from_bytes"].min() / 2, found["to_bytes"].max() * 2]
    return _sized(
        alt.Chart(found)
        .mark_rect(color=SKY)
        .encode(
            x=alt.X(
                "from_bytes:Q",
                title="bytes of a payload",
                scale=alt.Scale(type="log", base=2, domain=ends, nice=False),
                axis=alt.Axis(format="~s", grid=False),
            ),
            x2="to_bytes:Q",
            y=alt.Y("events:Q", title="events", axis=_COUNTS),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip("from_bytes:Q", title="from bytes", format=",.0f"),
                alt.Tooltip("to_bytes:Q", title="to bytes", format=",.0f"),
                "events:Q",
            ],
        ),
        160,
    )


def errors_over_time(found: pd.DataFrame) -> alt.Chart:
    """Draw errors over time by their code; rare codes together."""
    told, order = _common(found)
    chart = (
        alt.Chart(_stacked(told, order))
        .mark_rect()
        .encode(
            x=_time("start"),
            x2="end:T",
            y=alt.Y("below:Q", title="errors", axis=_COUNTS),
            y2="above:Q",
            color=alt.Color("code:N", sort=order, scale=alt.Scale(domain=order), title=None),
            tooltip=[_when("start", "from"), _when("end", "to"), "code:N", "errors:Q"],
        )
    )
    return _sized(chart, 240).interactive(bind_y=False)


def _common(found: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return a frame whose rare codes are `others`, and the codes in their order."""
    totals = found.groupby("code")["errors"].sum().sort_values(ascending=False, kind="stable")
    kept = list(totals.index[:_CODES])
    if len(totals) <= _CODES:
        return found, kept
    return found.assign(code=found["code"].where(found["code"].isin(kept), "others")), [
        *kept,
        "others",
    ]


def _stacked(found: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Put the codes of each step of time on top of each other."""
    summed = found.groupby(["start", "end", "code"], as_index=False)["errors"].sum()
    ranked = summed.assign(rank=summed["code"].map({code: i for i, code in enumerate(order)}))
    ranked = ranked.sort_values(["start", "rank"])
    above = ranked.groupby("start")["errors"].cumsum()
    return ranked.assign(above=above, below=above - ranked["errors"]).drop(columns="rank")


def errors_by_workflow(found: pd.DataFrame) -> alt.Chart:
    """Draw which workflow throws which errors; rare codes together."""
    told, order = _common(found)
    return _sized(
        alt.Chart(told)
        .mark_bar()
        .encode(
            y=alt.Y("workflow:N", sort="-x", title=None),
            x=alt.X("errors:Q", title="errors", axis=alt.Axis(grid=True, tickCount=8)),
            color=alt.Color("code:N", sort=order, scale=alt.Scale(domain=order), title=None),
            tooltip=["workflow:N", "workflow_id:N", "code:N", "errors:Q"],
        ),
        max(60, 28 * found["workflow"].nunique() + 20),
    )


def heat_map(found: pd.DataFrame) -> alt.Chart:
    """Draw what is known of each stream in each hour."""
    order = _worst_first(found)
    return _sized(
        alt.Chart(found)
        .mark_rect(stroke="#8A8F9822", strokeWidth=0.5)
        .encode(
            x=_time("start"),
            x2="end:T",
            y=alt.Y("stream:N", sort=order, title=None, axis=alt.Axis(labelOverlap=False)),
            color=alt.Color(
                "standing:N",
                scale=alt.Scale(domain=list(STANDINGS), range=list(STANDINGS.values())),
                title=None,
            ),
            tooltip=[
                "stream:N",
                _when("start", "from"),
                _when("end", "to"),
                "standing:N",
                alt.Tooltip("lost:N", title="lost"),
                "why:N",
            ],
        ),
        max(80, 18 * len(order)),
    )


def _worst_first(found: pd.DataFrame) -> list[str]:
    rank = found["standing"].map({name: i for i, name in enumerate(STANDINGS)})
    worst = found.assign(rank=rank).groupby("stream")["rank"].agg(["max", "sum"])
    return list(worst.sort_values(["max", "sum"], ascending=False, kind="stable").index)


def headroom(found: pd.DataFrame) -> alt.LayerChart:
    """Draw the interval that is safe for each stream beside the one it was polled at."""
    order = list(found["stream"])
    base = alt.Chart(found).encode(y=alt.Y("stream:N", sort=order, title=None))
    scale = alt.Scale(type="log", nice=False)
    axis = alt.Axis(
        grid=True,
        labelExpr="datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? "
        "round(datum.value / 60) + ' min' : datum.value < 86400 ? "
        "round(datum.value / 3600) + ' h' : round(datum.value / 86400) + ' d'",
        values=[1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000],
    )
    tooltip = [
        "stream:N",
        alt.Tooltip("safe_seconds:Q", title="safe, seconds", format=",.0f"),
        alt.Tooltip("polled_every:Q", title="polled every, seconds", format=",.0f"),
        alt.Tooltip("headroom:Q", title="headroom of the last poll", format=",.2f"),
        _when("busiest_at", "busiest until"),
    ]
    x = alt.X("safe_seconds:Q", title="time between polls", scale=scale, axis=axis)
    safe = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=x,
        color=alt.condition(
            "datum.safe_seconds < datum.polled_every", alt.value(VERMILION), alt.value(GREEN)
        ),
        tooltip=tooltip,
    )
    polled = base.mark_tick(color=GREY, thickness=2, size=14).encode(
        x=alt.X("polled_every:Q", scale=scale, axis=axis, title="time between polls"),
        tooltip=tooltip,
    )
    line = base.mark_rule(color="#8A8F9866").encode(x=x, x2="polled_every:Q")
    return _sized(alt.layer(line, polled, safe), max(80, 18 * len(order)))


def quotas(daily: pd.DataFrame) -> alt.LayerChart:
    """Draw what was used each day, and the quota as a line."""
    tooltip = [
        alt.Tooltip("owner:N"),
        _when("day", "day"),
        alt.Tooltip("used:Q", format=","),
        alt.Tooltip("quota:Q", format=","),
        alt.Tooltip("share:Q", title="of the quota", format=".0%"),
    ]
    data = daily.assign(next_day=daily["day"] + pd.Timedelta(hours=22))
    newest = daily["day"].max()
    # A single day would fill the whole width.
    since = min(daily["day"].min(), newest - pd.Timedelta(days=_LEAST_DAYS))
    ends = [_millis(since), _millis(newest + pd.Timedelta(days=1))]
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc", domain=ends), axis=_CLOCK)
    base = alt.Chart(data).encode(x=x, x2="next_day:T")
    bars = base.mark_rect().encode(
        y=alt.Y("used:Q", title="used a day"),
        y2=alt.datum(0),
        color=alt.condition("datum.used >= datum.quota", alt.value(VERMILION), alt.value(SKY)),
        tooltip=tooltip,
    )
    lines = (
        base.mark_rule(color=color, strokeWidth=2, strokeDash=dash).encode(
            y="quota:Q", tooltip=tooltip
        )
        for color, dash in QUOTA_LINE
    )
    return _sized(alt.layer(bars, *lines), 200)


def _millis(moment: pd.Timestamp) -> int:
    return int(moment.timestamp() * 1000)


def credits(period: Period) -> alt.LayerChart:
    """Draw the credits of a billing period so far, and what will likely be used."""
    totals, names = period.totals, ["until", "low", "likely", "high"]
    now, used = totals["snapshot_at"].iloc[-1], totals["credits"].iloc[-1]
    rows = [(f.until, f.low, f.likely, f.high) for f in period.ahead]
    future = pd.DataFrame([(now, used, used, used), *rows], columns=names)
    tooltip = [
        _when("until", "by"),
        *(alt.Tooltip(f"{name}:Q", format=",.0f") for name in ("low", "likely", "high")),
    ]
    seen = (
        alt.Chart(totals)
        .mark_line(color=SKY, point={"color": SKY, "size": 14})
        .encode(
            x=_time("snapshot_at"),
            y=alt.Y("credits:Q", title="credits in the billing period"),
            tooltip=[_when("snapshot_at", "at"), alt.Tooltip("credits:Q", format=",")],
        )
    )
    band = alt.Chart(future).mark_area(color=PURPLE, opacity=0.25)
    line = alt.Chart(future).mark_line(color=PURPLE, strokeDash=[5, 3])
    return _sized(
        alt.layer(
            band.encode(x=_time("until"), y="low:Q", y2="high:Q", tooltip=tooltip),
            line.encode(x=_time("until"), y="likely:Q", tooltip=tooltip),
            seen,
        ),
        240,
    )


def top_emitters(found: pd.DataFrame) -> alt.Chart:
    """Draw which emitters bring the most events."""
    return _sized(
        alt.Chart(found)
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort="-x", title=None),
            x=alt.X("events:Q", title="events", axis=alt.Axis(grid=True, tickCount=8)),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(
                    domain=["source", "workflow", "emitter"], range=[SKY, ORANGE, GREY]
                ),
            ),
            tooltip=[
                *("name:N", "emitter_id:N", "kind:N"),
                *(
                    alt.Tooltip(f"{name}:Q", format=",")
                    for name in ("events", "errors", "payload_bytes")
                ),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        ),
        max(60, 22 * len(found)),
    )
