"""How complete each stream is, hour by hour, and how often to poll."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Pipedream completeness")

with app.setup:
    import marimo as mo
    from reading import charts, completeness, place, widgets


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Completeness

    Pipedream keeps the last 100 events of each stream. What is proven complete, what was lost, and
    how often to poll so that nothing is.
    """)
    return


@app.cell(hide_code=True)
def _():
    files = place.pickers()
    place.shown(files)
    return (files,)


@app.cell(hide_code=True)
def _(files):
    database = place.opened(files)
    place.header(database)
    return (database,)


@app.cell(hide_code=True)
def _(database):
    proven = completeness.periods(database)
    place.stop_when_empty(
        proven.empty,
        "No stream was polled yet. Load with `pipedream-source load`, then `read again`.",
    )
    gaps = completeness.gaps(database)
    standing = completeness.standing(proven)
    completeness_figures = completeness.figures(standing, gaps)
    widgets.figures(**completeness_figures)
    return completeness_figures, gaps, proven, standing


@app.cell(hide_code=True)
def _():
    days = mo.ui.dropdown(
        {"day": 1, "7 days": 7, "30 days": 30, "year": 365}, value="7 days", label="The last"
    )
    mo.vstack([mo.md("## By the hour"), days])
    return (days,)


@app.cell(hide_code=True)
def _(database, days, proven):
    until = database.as_of()
    since = completeness.default_since(proven, until, days.value)
    step = completeness.step_seconds(since, until)
    hours = completeness.hours(proven, since, until, step)
    mo.vstack(
        [mo.md(completeness.map_words(hours, step)), charts.heat_map(completeness.drawn(hours))]
    )
    return (hours,)


@app.cell(hide_code=True)
def _(gaps):
    mo.vstack([mo.md("## Gaps"), mo.md(completeness.gap_words(gaps))])
    return


@app.cell(hide_code=True)
def _(gaps):
    widgets.table(gaps.drop(columns="explained"), page_size=8) if len(gaps) else None
    return


@app.cell(hide_code=True)
def _(database):
    room = completeness.headroom(database)
    mo.vstack(
        [
            mo.md(f"## How often to poll\n\n{completeness.advice(room)}"),
            mo.md(completeness.HEADROOM_LEGEND),
            charts.headroom(completeness.tightest(room)),
        ]
    )
    return (room,)


@app.cell(hide_code=True)
def _(room):
    widgets.table(room)
    return


@app.cell(hide_code=True)
def _(proven):
    mo.accordion(
        {
            "What is proven, period by period": widgets.table(
                proven[["stream", "standing", "start", "end", "why", "lost_max", "polls"]]
            )
        }
    )
    return


if __name__ == "__main__":
    app.run()
