"""Connect, the tables, the questions one always has, pandas in and out."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Pipedream quickstart")

with app.setup:
    import marimo as mo
    from reading import frames, place, widgets
    from reading.questions import QUESTIONS


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Quickstart

    Everything of a Pipedream workspace in a DuckDB file. This notebook connects, shows the tables,
    asks the five questions that one always has, and takes rows to pandas and back.
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
    tables = frames.tables(database)
    mo.vstack([mo.md("## The tables"), widgets.table(tables, page_size=40)])
    return (tables,)


@app.cell(hide_code=True)
def _(database):
    answers = {question.title: database.frame(question.sql) for question in QUESTIONS}
    mo.vstack(
        [
            mo.md("## Five questions"),
            *(
                mo.vstack(
                    [
                        mo.md(f"### {question.title}\n\n{question.why}"),
                        widgets.table(answers[question.title], page_size=5),
                        mo.accordion({"The query": mo.md(f"```sql\n{question.sql}\n```")}),
                    ]
                )
                for question in QUESTIONS
            ),
        ]
    )
    return (answers,)


@app.cell(hide_code=True)
def _():
    sql = mo.ui.code_editor(
        "SELECT emitter_id, event\nFROM source_event_summaries\nORDER BY emitted_at DESC LIMIT 10",
        language="sql",
        label="## Your own",
        debounce=True,
    )
    sql
    return (sql,)


@app.cell(hide_code=True)
def _(database, sql):
    own, why = frames.tried(database, sql.value)
    mo.callout(why, kind="warn") if own is None else widgets.table(own)
    return (own,)


@app.cell(hide_code=True)
def _(database):
    mo.md(f"""
    ## pandas in and out

    `database.frame(sql)` opens the file for the query alone and returns a pandas frame. Frames of
    yours go in by a name, to be joined with the tables:

    ```python
    {frames.EXAMPLE}
    ```

    In a script of your own, without this notebook: `{frames.connect_line(database)}`.
    **Close it again**: while a reader of another process holds the file, no load can write.
    """)
    return


@app.cell
def _(database):
    hours = database.frame(
        "SELECT emitter_id, hour(emitted_at) AS hour, count(*) AS events "
        "FROM source_event_summaries GROUP BY ALL"
    )
    teams = hours[["emitter_id"]].drop_duplicates().assign(team="unassigned")
    per_team = database.frame(
        "SELECT team, count(*) AS events FROM teams JOIN source_event_summaries USING (emitter_id) "
        "GROUP BY team",
        teams=teams,
    )
    hours.pivot_table(index="emitter_id", columns="hour", values="events", fill_value=0)
    return hours, per_team


if __name__ == "__main__":
    app.run()
