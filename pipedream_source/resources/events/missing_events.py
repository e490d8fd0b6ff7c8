"""The query that counts the events of proven stretches which the tables hold no more.

Events and the ends of stretches stand in one order, stream by stream: a difference of ranks is how
many events lie between two ends, so one sort counts for all stretches. A join by range would
compare each event with every stretch of its stream.
"""

from __future__ import annotations

from collections.abc import Collection

from pipedream_source.resources.schema.tables import EVENT_TABLES

# A stretch that reaches back to the beginning of its stream begins on a line of its own before the
# line of the events. An id counts once.
_GONE = """
WITH stretches AS (
    SELECT emitter_id, channel, opened_at, from_id, MAX(events) AS events,
        MIN(covered_from) AS covered_from, MAX(until_at) AS until_at
    FROM stream_coverage
    GROUP BY emitter_id, channel, opened_at, from_id
),
streams AS (
    SELECT emitter_id, channel, 2 * ROW_NUMBER() OVER (ORDER BY emitter_id, channel) AS line
    FROM stretches
    GROUP BY emitter_id, channel
),
ends AS (
    SELECT emitter_id, channel, opened_at, from_id, 0 AS side,
        CASE WHEN covered_from IS NULL THEN 0 ELSE 1 END AS step,
        COALESCE(covered_from, opened_at) AS moment
    FROM stretches
    WHERE until_at >= covered_from OR (until_at IS NOT NULL AND covered_from IS NULL)
    UNION ALL
    SELECT emitter_id, channel, opened_at, from_id, 2 AS side, 1 AS step, until_at AS moment
    FROM stretches
    WHERE until_at >= covered_from OR (until_at IS NOT NULL AND covered_from IS NULL)
),
lined AS (
    SELECT ends.emitter_id, ends.channel, opened_at, from_id, side, moment, line + step AS line
    FROM ends
    JOIN streams ON streams.emitter_id = ends.emitter_id AND streams.channel = ends.channel
),
marks AS (
    SELECT DISTINCT line, moment, side, '' AS id
    FROM lined{events}
),
ranked AS (
    SELECT line, moment, side, DENSE_RANK() OVER (ORDER BY line, moment, side, id) AS place
    FROM marks
),
placed AS (
    SELECT line, moment, side,
        place - DENSE_RANK() OVER (ORDER BY line, moment, side) AS events_before
    FROM ranked
    WHERE side <> 1
),
counted AS (
    SELECT emitter_id, channel, opened_at, from_id,
        SUM(CASE WHEN lined.side = 2 THEN events_before ELSE -events_before END) AS stored
    FROM lined
    JOIN placed ON placed.line = lined.line AND placed.moment = lined.moment
        AND placed.side = lined.side
    GROUP BY emitter_id, channel, opened_at, from_id
)
SELECT stretches.emitter_id, stretches.channel, stretches.opened_at, stretches.from_id,
    stretches.events - COALESCE(counted.stored, 0) AS gone
FROM stretches
LEFT JOIN counted ON counted.emitter_id = stretches.emitter_id
    AND counted.channel = stretches.channel AND counted.opened_at = stretches.opened_at
    AND counted.from_id = stretches.from_id
WHERE stretches.events > COALESCE(counted.stored, 0)
"""
_EVENTS = """
    UNION ALL
    SELECT line + 1 AS line, emitted_at AS moment, 1 AS side, id
    FROM {table}
    JOIN streams ON streams.emitter_id = {table}.emitter_id AND streams.channel = {table}.channel"""


def gone_query(tables: Collection[str]) -> str:
    """Return the query for a dataset with these tables, `stream_coverage` among them.

    Its rows are the stretches that lack events: emitter_id, channel, opened_at, from_id and how
    many are `gone`. It is plain SQL, for every destination.
    """
    names = [table.name for table in EVENT_TABLES if table.name in tables]
    return _GONE.format(events="".join(_EVENTS.format(table=name) for name in names))
