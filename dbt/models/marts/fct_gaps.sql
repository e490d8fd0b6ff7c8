with gaps as (
    select * from {{ ref('int_pipedream__gap_periods') }}
),

emitters as (
    select * from {{ ref('dim_emitters') }} where is_latest
),

final as (
    select
        -- Two machines may each tell of a gap after the same event.
        gaps.emitter_id || ':' || gaps.channel || ':' || gaps.after_id || ':'
            || coalesce(gaps.before_id, '') || ':' || gaps.verdict || ':'
            || {{ pipedream.unix_ms('gaps.detected_at') }} as gap_key,
        gaps.emitter_id,
        emitters.name as emitter_name,
        gaps.channel,
        gaps.verdict,
        gaps.after_id,
        gaps.before_id,
        gaps.gap_started_at,
        gaps.gap_ended_at,
        -- A gap that reaches back to before the first event begins with the calendar.
        case when gaps.gap_started_at > {{ pipedream.event_time("'0-0'") }}
            then {{ pipedream.seconds_between('gaps.gap_started_at', 'gaps.gap_ended_at') }}
        end as gap_seconds,
        gaps.lost_min,
        gaps.lost_likely,
        gaps.lost_max,
        gaps.method,
        gaps.detected_at,
        {{ pipedream.local_day('gaps.gap_ended_at') }} as gap_ended_on,
        gaps.load_id
    from gaps
    left join emitters on emitters.emitter_id = gaps.emitter_id
)

select * from final
