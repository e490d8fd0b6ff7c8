"""The questions that one always has first, each with its query."""

from __future__ import annotations

from typing import Final, NamedTuple


class Question(NamedTuple):
    """A question, why it is asked, and the SQL that answers it."""

    title: str
    why: str
    sql: str


QUESTIONS: Final = (
    Question(
        "What is in here?",
        "Each stream (an emitter and one of its channels), how much of it there is and from when.",
        """\
SELECT coalesce(s.name, w.name, e.emitter_id) AS emitter, e.channel, count(*) AS events,
       min(e.emitted_at) AS first_at, max(e.emitted_at) AS last_at
FROM (FROM source_event_summaries
      UNION ALL BY NAME FROM workflow_emits
      UNION ALL BY NAME FROM workflow_errors) AS e
LEFT JOIN sources AS s ON s.id = e.emitter_id AND s._dlt_valid_to IS NULL
LEFT JOIN workflows AS w ON w.id = e.emitter_id
GROUP BY ALL ORDER BY events DESC""",
    ),
    Question(
        "What happened last?",
        "The newest events of sources. `event ->> '$.a.b'` reads a field of a payload as text, "
        "`event -> '$.a'` as JSON.",
        """\
SELECT e.emitted_at, coalesce(s.name, e.emitter_id) AS emitter, e.event
FROM source_event_summaries AS e
LEFT JOIN sources AS s ON s.id = e.emitter_id AND s._dlt_valid_to IS NULL
ORDER BY e.emitted_at DESC, e.event_seq DESC LIMIT 20""",
    ),
    Question(
        "What goes wrong most often?",
        "Errors by workflow and code; the notebook `errors.py` looks into them.",
        """\
SELECT coalesce(event ->> '$.original_context.workflow_name', emitter_id) AS workflow,
       event ->> '$.error.code' AS code, count(*) AS errors, max(emitted_at) AS last_at
FROM workflow_errors
GROUP BY ALL ORDER BY errors DESC, workflow, code""",
    ),
    Question(
        "Is anything missing?",
        "Each stream at its last poll, and what its gaps lost; `completeness.py` shows it by hour.",
        """\
SELECT t.emitter_id, t.channel, t.verdict, t.headroom, count(g.verdict) AS gaps,
       coalesce(sum(g.lost_min), 0) AS lost_min,
       count(g.verdict) - count(g.lost_max) AS gaps_of_unknown_loss,
       CASE gaps_of_unknown_loss WHEN 0 THEN coalesce(sum(g.lost_max), 0) END AS lost_max
FROM stream_status AS t LEFT JOIN event_gaps AS g USING (emitter_id, channel)
GROUP BY ALL ORDER BY gaps DESC, headroom NULLS LAST, t.emitter_id, t.channel""",
    ),
    Question(
        "Do the loads run?",
        "One row for each run of `pipedream-source load`.",
        """\
SELECT started_at, finished_at, streams_polled, streams_failed, events_new, gaps, lost_likely,
       requests, bytes
FROM load_runs ORDER BY started_at DESC LIMIT 20""",
    ),
)
