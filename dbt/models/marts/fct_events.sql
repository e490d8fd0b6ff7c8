{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='event_key',
    )
}}

with events as (
    select * from {{ ref('int_pipedream__events') }}
    {%- if is_incremental() %}
    where load_id in ({{ pipedream.new_loads(ref('int_pipedream__events')) }})
    {%- endif %}
),

event_shapes as (
    select * from {{ ref('int_pipedream__event_shapes') }}
),

final as (
    select
        events.event_key,
        events.event_kind,
        events.is_error,
        events.emitter_id,
        events.channel,
        events.event_id,
        events.emitted_at,
        events.event_seq,
        events.indexed_at,
        {{ pipedream.local_day('events.emitted_at') }} as emitted_on,
        event_shapes.payload_bytes,
        event_shapes.payload_kind,
        event_shapes.shape_id,
        events.event_state,
        events.emit_id,
        events.origin,
        events.load_id,
        {{ pipedream.load_time('events.load_id') }} as loaded_at
    from events
    left join event_shapes on event_shapes.event_key = events.event_key
)

select * from final
