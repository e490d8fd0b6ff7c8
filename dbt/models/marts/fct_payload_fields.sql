with event_shapes as (
    select * from {{ ref('int_pipedream__event_shapes') }} where shape_id is not null
),

shape_fields as (
    select * from {{ ref('int_pipedream__shape_fields') }}
),

ranked as (
    select
        event_shapes.*,
        row_number() over (partition by emitter_id, channel order by emitted_at desc, event_seq desc, event_key desc)
            <= {{ var('pipedream_recent_events', 100) }} as is_recent
    from event_shapes
),

shapes as (
    select
        emitter_id,
        channel,
        shape_id,
        count(*) as events,
        count(case when is_recent then 1 end) as recent_events,
        min(emitted_at) as first_seen_at,
        max(emitted_at) as last_seen_at
    from ranked
    group by emitter_id, channel, shape_id
),

streams as (
    select
        emitter_id,
        channel,
        sum(events) as stream_events,
        sum(recent_events) as stream_recent_events
    from shapes
    group by emitter_id, channel
),

seen as (
    select
        shapes.emitter_id,
        shapes.channel,
        shape_fields.path,
        shape_fields.types,
        shape_fields.example,
        shape_fields.fields_left_out,
        shapes.events,
        shapes.recent_events,
        shapes.first_seen_at,
        shapes.last_seen_at
    from shapes
    inner join shape_fields
        on shape_fields.emitter_id = shapes.emitter_id
        and shape_fields.channel = shapes.channel
        and shape_fields.shape_id = shapes.shape_id
),

typed as (
    select
        emitter_id,
        channel,
        path,
        string_agg(distinct types, ' | ' order by types) as types,
        string_agg(distinct case when recent_events > 0 then types end, ' | ' order by case when recent_events > 0 then types end) as recent_types,
        string_agg(distinct case when events > recent_events then types end, ' | ' order by case when events > recent_events then types end) as earlier_types,
        cast(sum(events) as bigint) as events,
        cast(sum(recent_events) as bigint) as recent_events,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(example) as example,
        max(fields_left_out) as fields_left_out
    from seen
    group by emitter_id, channel, path
),

final as (
    select
        typed.emitter_id,
        typed.channel,
        typed.path,
        typed.types,
        typed.events,
        cast(typed.events as double precision) / streams.stream_events as share,
        cast(typed.recent_events as double precision) / streams.stream_recent_events as recent_share,
        typed.first_seen_at,
        typed.last_seen_at,
        case
            when streams.stream_events = streams.stream_recent_events then 'steady'
            when typed.earlier_types is null then 'appeared'
            when typed.recent_types is null then 'vanished'
            when typed.recent_types <> typed.earlier_types then 'changed type'
            else 'steady'
        end as drift,
        typed.example,
        cast(typed.fields_left_out as bigint) as fields_left_out
    from typed
    inner join streams on streams.emitter_id = typed.emitter_id and streams.channel = typed.channel
)

select * from final
