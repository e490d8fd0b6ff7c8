-- Each emitter's hours hold all its events and bytes, and no hour is missing.
with filled as (
    select
        hours.*,
        hour_at <= clock.as_of and hour_at > clock.as_of - {{ pipedream.days(var("pipedream_hourly_days", 400)) }} as is_filled
    from {{ ref('fct_emitter_hourly') }} as hours
    cross join {{ ref('int_pipedream__as_of') }} as clock
),

hourly as (
    select
        emitter_id,
        sum(events) as events,
        sum(errors) as errors,
        sum(payload_bytes) as payload_bytes,
        count(case when is_filled then 1 end) as hours,
        {{ pipedream.seconds_between(
            'min(case when is_filled then hour_at end)', 'max(case when is_filled then hour_at end)'
        ) }} / 3600 + 1 as hours_due
    from filled
    group by emitter_id
),

events as (
    select
        emitter_id,
        count(case when not is_error then 1 end) as events,
        count(case when is_error then 1 end) as errors,
        coalesce(sum(payload_bytes), 0) as payload_bytes
    from {{ ref('fct_events') }}
    group by emitter_id
)

select events.*, hourly.hours, hourly.hours_due
from events
left join hourly on hourly.emitter_id = events.emitter_id
where hourly.emitter_id is null
    or hourly.events <> events.events
    or hourly.errors <> events.errors
    or hourly.payload_bytes <> events.payload_bytes
    or hourly.hours <> hourly.hours_due
