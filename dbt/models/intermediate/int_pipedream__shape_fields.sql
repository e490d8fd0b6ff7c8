{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['emitter_id', 'channel', 'shape_id'],
    )
}}

with recursive event_shapes as (
    select * from {{ ref('int_pipedream__event_shapes') }}
),

all_events as (
    select * from {{ ref('int_pipedream__events') }}
),

of_loads as (
    select emitter_id, channel, shape_id, load_id, min(event_key) as event_key
    from event_shapes
    where shape_id is not null
    group by emitter_id, channel, shape_id, load_id
),

-- The example comes from the first load that showed the shape, as in builds after each load.
seen as (
    select emitter_id, channel, shape_id, event_key
    from (
        select of_loads.*, row_number() over (partition by emitter_id, channel, shape_id order by load_id) as place
        from of_loads
    ) as placed
    where place = 1
),

new_shapes as (
    select seen.*
    from seen
    {%- if is_incremental() %}
    left join (select distinct emitter_id, channel, shape_id from {{ this }}) as held
        on held.emitter_id = seen.emitter_id
        and held.channel = seen.channel
        and held.shape_id = seen.shape_id
    where held.shape_id is null
    {%- endif %}
),

examples as (
    select new_shapes.event_key as unfolded_key, all_events.payload
    from new_shapes
    inner join all_events on all_events.event_key = new_shapes.event_key
),

{{ pipedream.unfolded('examples') }},

described as (
    select
        new_shapes.emitter_id,
        new_shapes.channel,
        new_shapes.shape_id,
        fields.path,
        fields.types,
        fields.example,
        fields.left_out as fields_left_out
    from fields
    inner join new_shapes on new_shapes.event_key = fields.unfolded_key
)

select * from described
