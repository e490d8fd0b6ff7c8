{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='event_key',
    )
}}

-- Most events of a stream are of a few shapes, so one event of each group is unfolded, not all.
with recursive all_events as (
    select * from {{ ref('int_pipedream__events') }}
    {%- if is_incremental() %}
    where load_id in ({{ pipedream.new_loads(ref('int_pipedream__events')) }})
    {%- endif %}
),

structured as (
    select all_events.*, {{ pipedream.payload_structure('payload') }} as structure
    from all_events
),

-- Read twice, and payloads are long.
events as materialized (
    select
        event_key,
        emitter_id,
        channel,
        emitted_at,
        event_seq,
        load_id,
        {{ pipedream.json_bytes('payload') }} as payload_bytes,
        {{ pipedream.json_kind('payload') }} as payload_kind,
        {{ pipedream.shape_group('payload', 'structure') }} as shape_group
    from structured
),

shape_groups as (
    select shape_group, min(event_key) as event_key
    from events
    where shape_group is not null
    group by shape_group
),

examples as (
    select shape_groups.shape_group as unfolded_key, all_events.payload
    from shape_groups
    inner join all_events on all_events.event_key = shape_groups.event_key
),

{{ pipedream.unfolded('examples') }},

shapes as (
    select
        unfolded_key as shape_group,
        -- Payloads that leave out different numbers of fields differ, though the fields kept are the same.
        md5(
            string_agg(path || ' ' || types, chr(10) order by path)
            || case when max(left_out) > 0 then chr(10) || cast(max(left_out) as {{ dbt.type_string() }}) else '' end
        ) as shape_id
    from fields
    group by unfolded_key
),

shaped as (
    select
        events.event_key,
        events.emitter_id,
        events.channel,
        events.emitted_at,
        events.event_seq,
        events.load_id,
        events.payload_bytes,
        events.payload_kind,
        shapes.shape_id
    from events
    left join shapes on shapes.shape_group = events.shape_group
)

select * from shaped
