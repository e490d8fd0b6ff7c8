with events as (
    select * from {{ ref('fct_events') }}
),

clock as (
    select * from {{ ref('int_pipedream__as_of') }}
),

-- No statement reaches past an emitter's own last poll: without one, no hour is called quiet.
polled as (
    select emitter_id, max(last_polled_at) as polled_until
    from {{ ref('stg_pipedream__stream_status') }}
    group by emitter_id
),

hourly as (
    select
        emitter_id,
        {{ pipedream.hour_of('emitted_at') }} as hour_at,
        count(*) as rows_loaded,
        count(case when is_error then 1 end) as errors,
        sum(payload_bytes) as payload_bytes
    from events
    group by 1, 2
),

-- Ids may lie: one from 1970 or from the year 9999 must not make a row for each hour until then.
lives as (
    select
        hourly.emitter_id,
        greatest(
            min(hourly.hour_at),
            max({{ pipedream.hour_of('clock.as_of') }}) - {{ pipedream.days(var("pipedream_hourly_days", 400)) }}
        ) as first_hour_at,
        coalesce(max({{ pipedream.hour_of('polled.polled_until') }}), max(hourly.hour_at)) as last_hour_at
    from hourly
    cross join clock
    left join polled on polled.emitter_id = hourly.emitter_id
    group by hourly.emitter_id
),

-- Quiet hours too, so that a line does not run straight over them.
spine as (
    select emitter_id, {{ pipedream.each_step('first_hour_at', 'last_hour_at', '1 hour') }} as hour_at
    from lives
    union
    select emitter_id, hour_at from hourly
),

final as (
    select
        spine.emitter_id,
        spine.hour_at,
        coalesce(hourly.rows_loaded - hourly.errors, 0) as events,
        coalesce(hourly.errors, 0) as errors,
        cast(hourly.errors as double precision) / nullif(hourly.rows_loaded, 0) as error_rate,
        cast(coalesce(hourly.payload_bytes, 0) as bigint) as payload_bytes
    from spine
    left join hourly on hourly.emitter_id = spine.emitter_id and hourly.hour_at = spine.hour_at
)

select * from final
