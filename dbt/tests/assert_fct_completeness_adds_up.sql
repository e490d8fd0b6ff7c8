-- The days hold all events and losses of a stream, and no day is longer than a day can be.
with days as (
    select
        emitter_id,
        channel,
        sum(events_loaded) as events_loaded,
        sum(gaps) as gaps,
        sum(lost_min) as lost_min,
        max(seconds_complete + seconds_lost + seconds_unknown + seconds_unobserved) as longest_day
    from {{ ref('fct_completeness') }}
    group by emitter_id, channel
),

events as (
    select emitter_id, channel, count(*) as events_loaded from {{ ref('fct_events') }} group by emitter_id, channel
),

gaps as (
    select emitter_id, channel, count(*) as gaps, sum(lost_min) as lost_min
    from {{ ref('fct_gaps') }}
    group by emitter_id, channel
)

select days.*, events.events_loaded as events_due, gaps.lost_min as lost_due
from days
full outer join events on events.emitter_id = days.emitter_id and events.channel = days.channel
left join gaps on gaps.emitter_id = days.emitter_id and gaps.channel = days.channel
where days.emitter_id is null
    or days.events_loaded <> coalesce(events.events_loaded, 0)
    or days.gaps <> coalesce(gaps.gaps, 0)
    or days.lost_min <> coalesce(gaps.lost_min, 0)
    or days.longest_day > 25 * 3600
