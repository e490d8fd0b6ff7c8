"""Credits and quotas over time, what will likely be used, and which emitters are busiest."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Pipedream usage")

with app.setup:
    import marimo as mo
    from reading import charts, forecast, place, usage, widgets


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Usage

    Credits and quotas over time, what will likely be used, and who brings the most events.
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
    snapshots = usage.snapshots(database)
    daily = usage.days(snapshots)
    outlook = forecast.by_midnight(daily)
    mo.vstack(
        [
            mo.md(f"## Today's quotas\n\n{usage.snapshot_words(snapshots)}"),
            widgets.table(outlook, format_mapping=usage.FORMATS) if len(outlook) else None,
        ]
    )
    return daily, outlook, snapshots


@app.cell(hide_code=True)
def _(daily):
    mo.stop(daily.empty)
    owners = usage.owner_labels(daily)
    owner = mo.ui.dropdown(owners, value=next(iter(owners)), label="Whose")
    owner
    return (owner,)


@app.cell(hide_code=True)
def _(daily, owner):
    mo.stop(owner.value is None, mo.md("Pick one."))
    own = usage.of_owner(daily, owner.value)
    mo.vstack(
        [
            mo.md("Each bar is what was used on a day (UTC), the dashed line the quota."),
            charts.quotas(own),
        ]
    )
    return (own,)


@app.cell(hide_code=True)
def _(database):
    periods = forecast.periods(usage.billing(database))
    mo.vstack(
        [
            mo.md(f"## The billing period\n\n{forecast.period_words(periods)}"),
            *(charts.credits(period) for period in periods),
        ]
    )
    return (periods,)


@app.cell(hide_code=True)
def _():
    back = mo.ui.dropdown(
        {"day": 1, "7 days": 7, "30 days": 30, "all there is": None},
        value="7 days",
        label="The last",
    )
    mo.vstack(
        [
            mo.md(
                "## The busiest emitters\n\nThe API does not say what each emitter costs. Each "
                "event makes the workflows that listen to it run: the busiest are where to look."
            ),
            back,
        ]
    )
    return (back,)


@app.cell(hide_code=True)
def _(back, database):
    top = usage.top_emitters(database, back.value)
    place.stop_when_empty(top.empty, "No events are stored of this time.")
    mo.vstack(
        [
            charts.top_emitters(top),
            widgets.table(top, format_mapping=usage.FORMATS),
        ]
    )
    return (top,)


if __name__ == "__main__":
    app.run()
