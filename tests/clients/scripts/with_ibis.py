"""Reads a file with ibis: its own expressions, and SQL where one writes SQL."""

import ibis
from answers import DATASET, PATH, SQL, TASK, VIEWS, examples, moment, names, tell, value


def connection():
    """Connect anew: after an error of ibis the connection is in use for good."""
    found = ibis.duckdb.connect(PATH, read_only=True)
    found.raw_sql(SQL.zone).fetchall()
    return found


def raw(query):
    return connection().raw_sql(query).fetchall()


def frame(query):
    return connection().raw_sql(query).df()


def table(name):
    return connection().table(name, database=DATASET)


def of_newest(column):
    events = table("source_event_summaries")
    return events.filter(events.id == TASK["id"]).select(column=column).execute().iloc[0, 0]


def payloads(event):
    events = table("source_event_summaries")
    found = events.filter(events.id.isin(TASK["ids"])).select("id", event=event).execute()
    return dict(zip(found.id, found.event, strict=True))


tell(
    raw,
    rows=lambda: int(table("source_event_summaries").count().execute()),
    listed=lambda: connection().list_tables(database=DATASET),
    listed_instead=lambda: names(raw),
    payloads=lambda: payloads(ibis._.event),
    payloads_instead=lambda: payloads(ibis._.event.cast("string")),
    key=lambda: connection().sql(SQL.key).execute().iloc[0, 0],
    key_instead=lambda: of_newest(ibis._.event["path"].str),
    time=lambda: moment(of_newest(ibis._.emitted_at)),
    views=lambda: {view: len(table(view).execute()) for view in VIEWS} | examples(frame),
    comment=lambda: value(raw, SQL.comment),
)
