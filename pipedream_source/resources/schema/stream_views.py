"""The views of streams: how each stands, and what was lost."""

from __future__ import annotations

from typing import Final

from pipedream_source.resources.schema.table import real, text, time, whole
from pipedream_source.resources.schema.tables import EVENT_GAPS, STREAM_STATUS
from pipedream_source.resources.schema.view import CHANNEL, EMITTER, View, epoch, time_of
from pipedream_source.settings import LATE_STRETCH_MS

#: Why events are missing, by the verdict of a gap.
REASONS: Final = {
    "overrun": "more than 100 events came between two polls; the oldest of them were lost",
    "purged": "events that were never seen were deleted, or the stream was emptied",
    "regressed": "all events are older than those loaded: the stream was made anew or restored",
    "unknown": "the API contradicted itself; the next poll that can be trusted decides",
}
_STATUS: Final = ("window_size", "window_seconds", "fill", "headroom", "events_per_hour")
_POLLED: Final = (*_STATUS, "next_poll_at", "failures", "last_error")
STREAMS: Final = View(
    "streams",
    "One row per stream: its newest poll, how late it is, and what was lost of it.",
    {
        **EMITTER,
        **CHANNEL,
        "verdict": STREAM_STATUS.fields["verdict"],
        "last_id": STREAM_STATUS.fields["last_id"],
        "last_event_at": time("When that event was emitted."),
        "last_polled_at": STREAM_STATUS.fields["last_polled_at"],
        "quiet_seconds": real("Time between that event and the newest poll.", "s"),
        "lag_seconds": real("Time since the newest poll: what came later is not loaded.", "s"),
        **{name: STREAM_STATUS.fields[name] for name in _POLLED},
        "gaps": whole("Gaps of the stream.", "gaps"),
        "lost_min": whole("Events lost in all of them at least.", "events"),
        "lost_max": whole("Events lost in all at most; null where one has no bound.", "events"),
    },
    f"""\
SELECT status.emitter_id, named.name AS emitter_name, status.channel, status.verdict,
    status.last_id, {time_of("status.last_id")} AS last_event_at, status.last_polled_at,
    {epoch("status.last_polled_at")} - {epoch(time_of("status.last_id"))} AS quiet_seconds,
    {epoch("now()")} - {epoch("status.last_polled_at")} AS lag_seconds,
    {", ".join(f"status.{name}" for name in _POLLED)},
    coalesce(lost.gaps, 0) AS gaps, coalesce(lost.lost_min, 0) AS lost_min,
    CASE WHEN lost.gaps > lost.bounded THEN NULL ELSE coalesce(lost.lost_max, 0) END AS lost_max
FROM {{stream_status}} AS status
LEFT JOIN (
    SELECT emitter_id, channel, count(*) AS gaps, count(lost_max) AS bounded,
        CAST(sum(lost_min) AS BIGINT) AS lost_min, CAST(sum(lost_max) AS BIGINT) AS lost_max
    FROM {{event_gaps}} AS event_gaps
    GROUP BY emitter_id, channel
) AS lost ON lost.emitter_id = status.emitter_id AND lost.channel = status.channel
LEFT JOIN {{names}} AS named ON named.id = status.emitter_id""",  # noqa: S608
)

_LATE_S: Final = LATE_STRETCH_MS // 1000
_OF_GAP: Final = ("after_id", "before_id", "method", "inputs", "detected_at")
LOSSES: Final = View(
    "losses",
    "One row per gap, in words, with the times that polls prove.",
    {
        **EMITTER,
        **CHANNEL,
        "verdict": EVENT_GAPS.fields["verdict"],
        "reason": text("The verdict in words."),
        "gap_start": time("When the gap starts: what a poll proved stays proven."),
        "gap_end": EVENT_GAPS.fields["gap_end"],
        "lost": text("The events lost, in words, such as `3 to 40, likely 12`."),
        **{name: EVENT_GAPS.fields[name] for name in ("lost_min", "lost_likely", "lost_max")},
        **{name: EVENT_GAPS.fields[name] for name in _OF_GAP},
    },
    # See core/completeness/gap_times.py: the same rule for databases that have no views.
    f"""\
SELECT gap.emitter_id, named.name AS emitter_name, gap.channel, gap.verdict,
    CASE gap.verdict {" ".join(f"WHEN '{name}' THEN '{why}'" for name, why in REASONS.items())}
        ELSE '{REASONS["unknown"]}' END AS reason,
    least(gap.ended_at, CASE
        WHEN gap.verdict <> 'regressed' AND gap.before_id <> ''
            AND {time_of("nullif(gap.before_id, '')")} < gap.proven_until THEN gap.gap_start
        ELSE greatest(gap.gap_start, gap.proven_until - INTERVAL '{_LATE_S} seconds')
    END) AS gap_start,
    gap.ended_at AS gap_end,
    CASE
        WHEN gap.lost_max IS NULL THEN 'at least ' || CAST(gap.lost_min AS VARCHAR)
        WHEN gap.lost_min = gap.lost_max THEN CAST(gap.lost_min AS VARCHAR)
        ELSE CAST(gap.lost_min AS VARCHAR) || ' to ' || CAST(gap.lost_max AS VARCHAR)
            || coalesce(', likely ' || CAST(gap.lost_likely AS VARCHAR), '')
    END AS lost,
    gap.lost_min, gap.lost_likely, gap.lost_max, {", ".join(f"gap.{name}" for name in _OF_GAP)}
FROM (
    SELECT event_gaps.*, proofs.proven_until,
        CASE WHEN verdict = 'regressed' THEN event_gaps.detected_at ELSE gap_end END AS ended_at
    FROM {{event_gaps}} AS event_gaps
    LEFT JOIN (
        SELECT found.emitter_id, found.channel, found.detected_at,
            max(coverage.covered_until) AS proven_until
        FROM (SELECT DISTINCT emitter_id, channel, detected_at FROM {{event_gaps}} AS gaps) AS found
        INNER JOIN {{stream_coverage}} AS coverage
            ON coverage.emitter_id = found.emitter_id AND coverage.channel = found.channel
            AND coverage.covered_until < found.detected_at
        GROUP BY found.emitter_id, found.channel, found.detected_at
    ) AS proofs ON proofs.emitter_id = event_gaps.emitter_id
        AND proofs.channel = event_gaps.channel AND proofs.detected_at = event_gaps.detected_at
) AS gap
LEFT JOIN {{names}} AS named ON named.id = gap.emitter_id""",  # noqa: S608
)
