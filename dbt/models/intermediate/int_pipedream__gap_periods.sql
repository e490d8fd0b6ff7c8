-- When each gap starts and ends, given what polls proved before it: see pipedream_source/core/completeness/gap_times.py.
-- What a poll proved stays proven, but for the minute in which events may become visible late; rows
-- that older versions loaded start at the last event, however many polls found nothing after it.
with gaps as (
    select * from {{ ref('stg_pipedream__event_gaps') }}
),

stretches as (
    select * from {{ ref('stg_pipedream__stream_coverage') }}
),

marks as (
    select emitter_id, channel, covered_until as moment, 1 as side, covered_until as proven_at from stretches
    union all
    select distinct emitter_id, channel, detected_at, 0, {{ pipedream.typed_null('timestamp') }} from gaps
),

followed as (
    select
        emitter_id,
        channel,
        moment,
        side,
        max(proven_at) over (
            partition by emitter_id, channel order by moment, side rows between unbounded preceding and current row
        ) as proven_until
    from marks
),

proven as (
    select emitter_id, channel, moment as detected_at, proven_until from followed where side = 0
),

ended as (
    select
        gaps.*,
        proven.proven_until,
        case when verdict = 'regressed' then gaps.detected_at else gap_ended_at end as ended_at,
        -- Ids that run behind the polls: an event that is older than a poll may have come after it.
        coalesce(
            verdict <> 'regressed' and {{ pipedream.event_time('before_id') }} < proven.proven_until, false
        ) as is_behind
    from gaps
    left join proven
        on proven.emitter_id = gaps.emitter_id
        and proven.channel = gaps.channel
        and proven.detected_at = gaps.detected_at
),

final as (
    select
        emitter_id,
        channel,
        verdict,
        after_id,
        before_id,
        least(
            ended_at,
            case
                when is_behind then gap_started_at
                else greatest(gap_started_at, proven_until - {{ pipedream.late_stretch() }})
            end
        ) as gap_started_at,
        ended_at as gap_ended_at,
        lost_min,
        lost_likely,
        lost_max,
        method,
        inputs,
        detected_at,
        load_id
    from ended
)

select * from final
