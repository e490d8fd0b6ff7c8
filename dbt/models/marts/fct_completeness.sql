with intervals as (
    select * from {{ ref('int_pipedream__coverage_intervals') }}
),

events as (
    select * from {{ ref('fct_events') }}
),

gaps as (
    select * from {{ ref('fct_gaps') }}
),

stream_status as (
    select * from {{ ref('stg_pipedream__stream_status') }}
),

loaded as (
    -- Not `emitted_on`, which keeps the time zone of the run that took the event.
    select
        emitter_id,
        channel,
        {{ pipedream.local_day('emitted_at') }} as day,
        count(*) as events_loaded,
        min(emitted_at) as first_event_at
    from events
    group by 1, 2, 3
),

lost as (
    select
        emitter_id,
        channel,
        gap_ended_on as day,
        count(*) as gaps,
        sum(lost_min) as lost_min,
        -- Several likely losses make no likely sum: each may be wrong by a factor.
        case when count(*) = 1 then max(lost_likely) end as lost_likely,
        -- A sum with an unknown in it is unknown.
        case when count(lost_max) = count(*) then sum(lost_max) end as lost_max,
        count(case when lost_max is null then 1 end) as gaps_without_estimate
    from gaps
    group by emitter_id, channel, gap_ended_on
),

first_events as (
    select emitter_id, channel, min(first_event_at) as first_event_at from loaded group by emitter_id, channel
),

-- What is complete since the stream exists counts from its first event on.
bounded as (
    select
        intervals.emitter_id,
        intervals.channel,
        intervals.standing,
        coalesce(
            intervals.started_at,
            least(first_events.first_event_at, intervals.opened_at, intervals.ended_at)
        ) as started_at,
        intervals.ended_at
    from intervals
    left join first_events
        on first_events.emitter_id = intervals.emitter_id and first_events.channel = intervals.channel
),

by_day as (
    select
        bounded.*,
        cast({{ pipedream.each_step(pipedream.local_day('started_at'), pipedream.local_day('ended_at'), '1 day') }} as date) as day
    from bounded
    where ended_at >= started_at
),

pieces as (
    select
        emitter_id,
        channel,
        day,
        standing,
        least(ended_at, {{ pipedream.day_start('day + 1') }}) as ended_at,
        {{ pipedream.seconds_between(
            'greatest(started_at, ' ~ pipedream.day_start('day') ~ ')',
            'least(ended_at, ' ~ pipedream.day_start('day + 1') ~ ')'
        ) }} as seconds
    from by_day
),

observed as (
    select
        emitter_id,
        channel,
        day,
        {%- for standing in ['complete', 'lost', 'unknown', 'unobserved'] %}
        sum(case when standing = '{{ standing }}' then greatest(seconds, 0) else 0 end) as seconds_{{ standing }},
        {%- endfor %}
        max(ended_at) as told_until,
        max(case when standing in ('complete', 'excluded', 'ended') then 0 else greatest(seconds, 0) end) as longest_unproven_seconds
    from pieces
    group by emitter_id, channel, day
),

days as (
    select emitter_id, channel, day from loaded
    union
    select emitter_id, channel, day from lost
    union
    select emitter_id, channel, day from observed
),

final as (
    select
        days.emitter_id,
        days.channel,
        days.day,
        coalesce(loaded.events_loaded, 0) as events_loaded,
        coalesce(lost.gaps, 0) as gaps,
        cast(coalesce(lost.lost_min, 0) as bigint) as lost_min,
        cast(case when lost.gaps is null then 0 else lost.lost_likely end as bigint) as lost_likely,
        cast(case when lost.gaps is null then 0 else lost.lost_max end as bigint) as lost_max,
        coalesce(lost.gaps_without_estimate, 0) as gaps_without_estimate,
        coalesce(observed.seconds_complete, 0) as seconds_complete,
        coalesce(observed.seconds_lost, 0) as seconds_lost,
        coalesce(observed.seconds_unknown, 0) as seconds_unknown,
        coalesce(observed.seconds_unobserved, 0) as seconds_unobserved,
        observed.seconds_complete / nullif(
            observed.seconds_complete + observed.seconds_lost + observed.seconds_unknown + observed.seconds_unobserved, 0
        ) as share_complete,
        coalesce(observed.longest_unproven_seconds, 0) as longest_unproven_seconds,
        observed.told_until,
        stream_status.headroom
    from days
    left join loaded
        on loaded.emitter_id = days.emitter_id and loaded.channel = days.channel and loaded.day = days.day
    left join lost
        on lost.emitter_id = days.emitter_id and lost.channel = days.channel and lost.day = days.day
    left join observed
        on observed.emitter_id = days.emitter_id and observed.channel = days.channel and observed.day = days.day
    -- The headroom is that of the newest poll, so it stands on that poll's day alone.
    left join stream_status
        on stream_status.emitter_id = days.emitter_id and stream_status.channel = days.channel
        and {{ pipedream.local_day('stream_status.last_polled_at') }} = days.day
)

select * from final
