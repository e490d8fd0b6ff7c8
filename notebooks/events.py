"""The events of one stream: pace, sizes, contents, one in full, files of those selected."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Pipedream events")

with app.setup:
    import marimo as mo
    from reading import charts, events, place, streams, widgets, words


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Events

    Pick a stream (a source or workflow, and one of its channels): how its events came, how large
    they are, what is inside them, each of them in full, and files of what you selected.
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
    known = streams.streams(database)
    place.stop_when_empty(
        known.empty, "No events are stored yet. Once a load brought some, `read again`."
    )
    choices = streams.labels(known)
    stream = mo.ui.dropdown(
        choices, value=next(iter(choices)), label="Stream", searchable=True, full_width=True
    )
    stream
    return known, stream


@app.cell(hide_code=True)
def _(known, stream):
    mo.stop(stream.value is None, mo.md("Pick a stream."))
    one = known.iloc[stream.value]
    filters = widgets.event_filters(one["first_at"], one["last_at"])
    place.row(filters)
    return filters, one


@app.cell(hide_code=True)
def _(database, filters, one):
    selection = widgets.selection(one, filters)
    figures = events.summary(database, selection)
    place.stop_when_empty(
        not figures["events"], "No event of this stream matches: widen the dates or the search."
    )
    widgets.figures(
        events=f"{figures['events']:,}",
        days_with_events=f"{figures['days']:,}",
        median_payload=words.bytes_of(figures["median_bytes"]),
        largest_payload=words.bytes_of(figures["largest_bytes"]),
        all_payloads=words.bytes_of(figures["bytes"]),
    )
    return figures, selection


@app.cell(hide_code=True)
def _(database, figures, filters, selection):
    step = widgets.bar_seconds(filters, figures)
    pace = events.pace(database, selection, step)
    mo.vstack(
        [
            mo.md(
                f"## Pace\n\nFrom {words.moment(figures['first_at'])} to "
                f"{words.moment(figures['last_at'])}, each bar is {words.duration(step)}. "
                "Scroll to zoom, drag to move, double-click to see all."
            ),
            charts.pace(pace),
        ]
    )
    return (pace,)


@app.cell(hide_code=True)
def _(database, selection):
    sizes = events.sizes(database, selection)
    mo.vstack([mo.md("## Payload sizes"), charts.sizes(sizes)])
    return (sizes,)


@app.cell(hide_code=True)
def _(database, selection):
    paths = events.paths(database, selection)
    mo.vstack(
        [
            mo.md(
                "## What is inside\n\nThe paths of the newest 500 payloads. Read one in SQL with "
                "`event ->> '$.path'`; `[*]` stands for any element of a list. What no path "
                "can name (an empty key, or `*`) is a JSON pointer: `event ->> '/path'`."
            ),
            widgets.table(paths, page_size=15, format_mapping={"share": "{:.0%}"}),
        ]
    )
    return (paths,)


@app.cell(hide_code=True)
def _(database, selection):
    fields = events.fields(database, selection)
    mo.accordion(
        {
            "All fields ever seen, and how they drift (dbt marts)": widgets.table(
                fields, page_size=15, format_mapping={"share": "{:.0%}"}
            )
        }
    ) if len(fields) else None
    return (fields,)


@app.cell(hide_code=True)
def _(database, selection):
    newest = events.newest(database, selection)
    table = widgets.table(newest, selection="single", initial_selection=[0], page_size=8)
    mo.vstack([mo.md("## The newest events\n\nSelect one to see all of it."), table])
    return newest, table


@app.cell(hide_code=True)
def _(database, selection, table):
    mo.stop(table.value.empty, mo.md("Select an event above."))
    picked = events.whole(database, selection, table.value["id"].iloc[0])
    widgets.whole_event(picked)
    return (picked,)


@app.cell(hide_code=True)
def _(database, figures, selection):
    mo.vstack(
        [
            mo.md(
                f"## Take them with you\n\nThe {words.count(figures['events'], 'event')} selected "
                "above, all of them and in full."
            ),
            widgets.downloads(database, selection, figures),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
