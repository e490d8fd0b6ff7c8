"""Errors of workflows: what is new, what is frequent, where it happens, and how to try again."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Pipedream errors")

with app.setup:
    import marimo as mo
    from reading import charts, curl, errors, events, place, streams, widgets


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Errors

    What goes wrong, grouped: errors with the same code, the same message (addresses, numbers, times
    and ids aside, HTTP statuses not) and the same place in your code or a component's are one
    group. New groups come first.
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
    yesterday = streams.day_before(database)
    by_workflow = errors.by_workflow(database)
    groups = errors.groups(database, yesterday)
    place.stop_when_empty(
        groups.empty,
        "**No errors are stored.** Either nothing went wrong, or nothing was loaded yet.",
    )
    widgets.figures(
        errors=f"{groups['errors'].sum():,}",
        groups=f"{len(groups):,}",
        new_since_yesterday=f"{(groups['standing'] == 'new').sum():,}",
        errors_since_yesterday=f"{groups['recent'].sum():,}",
        workflows=f"{by_workflow['workflow_id'].nunique():,}",
    )
    return by_workflow, groups, yesterday


@app.cell(hide_code=True)
def _(database, groups, yesterday):
    first, last = errors.span(database)
    step = events.bar_seconds(first, last, groups["errors"].sum())
    timeline = errors.timeline(database, step)
    mo.vstack(
        [
            mo.md(errors.since_words(groups, yesterday, step)),
            charts.errors_over_time(timeline),
        ]
    )
    return step, timeline


@app.cell(hide_code=True)
def _(by_workflow):
    mo.vstack([mo.md("## Which workflow"), charts.errors_by_workflow(by_workflow)])
    return


@app.cell(hide_code=True)
def _(groups):
    table = widgets.table(groups, selection="single", initial_selection=[0])
    mo.vstack([mo.md("## Groups\n\nSelect one to look into it."), table])
    return (table,)


@app.cell(hide_code=True)
def _(database, groups, step, table):
    mo.stop(table.value.empty, mo.md("Select a group above."))
    group = groups.set_index("fingerprint", drop=False).loc[table.value["fingerprint"].iloc[0]]
    group_timeline = errors.timeline(database, step, group["fingerprint"])
    mo.vstack([mo.md(errors.group_words(group)), charts.errors_over_time(group_timeline)])
    return (group,)


@app.cell(hide_code=True)
def _(database, group):
    occurrences = errors.occurrences(database, group["fingerprint"])
    which = widgets.table(occurrences, selection="single", initial_selection=[0], page_size=5)
    mo.vstack([mo.md("### Its newest errors"), which])
    return occurrences, which


@app.cell(hide_code=True)
def _(database, which):
    mo.stop(which.value.empty, mo.md("Select an error above."))
    error = errors.one(database, *which.value.iloc[0][["emitter_id", "channel", "id"]])
    mo.stop(error is None, mo.md("*This error is not in the database any more.*"))
    mo.vstack([mo.md(errors.error_words(error)), widgets.text_view(error["stack"] or "no stack")])
    return (error,)


@app.cell(hide_code=True)
def _(error):
    mo.vstack([mo.md("### The event that caused it"), widgets.json_view(error["original"])])
    return


@app.cell(hide_code=True)
def _(error):
    endpoint = mo.ui.text(
        curl.endpoint_of(error["payload"], error["endpoint"]),
        label="Endpoint",
        placeholder="https://….m.pipedream.net, from the workflow's trigger",
        full_width=True,
    )
    mo.vstack(
        [
            mo.md(
                "### Send it again\n\nA command for a shell that sends the original event to the "
                "workflow's own endpoint. **Running it makes the workflow run once more**, with "
                "all that it does; where the endpoint is a source's, everything that listens to it "
                "runs. The command holds the whole event, secrets included."
            ),
            endpoint,
        ]
    )
    return (endpoint,)


@app.cell(hide_code=True)
def _(endpoint, error):
    command = curl.try_command(endpoint.value, error["payload"])
    widgets.command_view(command)
    return (command,)


if __name__ == "__main__":
    app.run()
