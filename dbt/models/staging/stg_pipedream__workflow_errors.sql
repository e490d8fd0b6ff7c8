with source as (
    {{ pipedream.loaded('workflow_errors') }}
),

renamed as (
    select
        emitter_id,
        channel,
        id as event_id,
        emitted_at,
        event_seq,
        indexed_at,
        event as payload,
        event_state,
        metadata,
        emit_id,
        origin,
        _dlt_load_id as load_id
    from source
)

select * from renamed
