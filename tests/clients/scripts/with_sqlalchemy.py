"""Reads a file with SQLAlchemy and duckdb-engine: reflection, and SQL."""

import warnings

import sqlalchemy
from answers import DATASET, PATH, SQL, tell, value

ENGINE = sqlalchemy.create_engine(f"duckdb:///{PATH}", connect_args={"read_only": True})


def rows(query):
    with ENGINE.connect() as connection:
        connection.execute(sqlalchemy.text(SQL.zone))
        return [tuple(row) for row in connection.execute(sqlalchemy.text(query)).fetchall()]


def reflected():
    metadata = sqlalchemy.MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duckdb-engine reflects no indexes, and says so
        metadata.reflect(ENGINE, schema=DATASET, views=True)
    return metadata.tables


def inspected():
    inspector = sqlalchemy.inspect(ENGINE)
    return [*inspector.get_table_names(schema=DATASET), *inspector.get_view_names(schema=DATASET)]


tell(
    rows,
    listed=lambda: [table.name for table in reflected().values()],
    listed_instead=inspected,
    payloads_instead=lambda: dict(rows(SQL.payloads_as_text)),
    comment=lambda: reflected()[f"{DATASET}.source_event_summaries"].c.emitted_at.comment,
    comment_instead=lambda: value(rows, SQL.comment),
)
