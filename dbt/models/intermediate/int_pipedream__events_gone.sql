-- How many events of each stretch the tables hold no more, counted as `pipedream-source prove` does
-- (pipedream_source/resources/events/missing_events.py): events and the ends of stretches stand in one order, and a
-- difference of ranks is how many lie between two ends. A join by range would compare each event
-- with every stretch of its stream.
with stretches as (
    select * from {{ ref('stg_pipedream__stream_coverage') }}
),

events as (
    select emitter_id, channel, event_id, emitted_at from {{ ref('int_pipedream__events') }}
),

streams as (
    select emitter_id, channel, 2 * row_number() over (order by emitter_id, channel) as line
    from stretches
    group by emitter_id, channel
),

-- Stretches that hold an event. What reaches back to the beginning of a stream begins on a line of
-- its own before the line of the events.
lined as (
    select
        stretches.*,
        case when covered_from is null then line else line + 1 end as begin_line,
        coalesce(covered_from, opened_at) as begins_at,
        line + 1 as line
    from stretches
    inner join streams using (emitter_id, channel)
    where until_at is not null and (covered_from is null or covered_from <= until_at)
),

ends as (
    select emitter_id, channel, from_id, opened_at, begin_line as line, begins_at as moment, 0 as side from lined
    union all
    select emitter_id, channel, from_id, opened_at, line, until_at, 2 from lined
),

marks as (
    select distinct line, moment, side, '' as event_id from ends
    union all
    select streams.line + 1, events.emitted_at, 1, events.event_id
    from events
    inner join streams on streams.emitter_id = events.emitter_id and streams.channel = events.channel
),

ranked as (
    select line, moment, side, dense_rank() over (order by line, moment, side, event_id) as place from marks
),

placed as (
    select line, moment, side, place - dense_rank() over (order by line, moment, side) as events_before
    from ranked
    where side <> 1
),

counted as (
    select
        emitter_id,
        channel,
        from_id,
        opened_at,
        sum(case when ends.side = 2 then events_before else -events_before end) as events_stored
    from ends
    inner join placed
        on placed.line = ends.line and placed.moment = ends.moment and placed.side = ends.side
    group by emitter_id, channel, from_id, opened_at
),

final as (
    select
        stretches.emitter_id,
        stretches.channel,
        stretches.from_id,
        stretches.opened_at,
        stretches.events_loaded - coalesce(counted.events_stored, 0) as events_gone
    from stretches
    left join counted
        on counted.emitter_id = stretches.emitter_id
        and counted.channel = stretches.channel
        and counted.from_id = stretches.from_id
        and counted.opened_at = stretches.opened_at
)

select * from final where events_gone > 0
