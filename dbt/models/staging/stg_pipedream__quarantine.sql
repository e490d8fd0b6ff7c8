with source as (
    {{ pipedream.loaded('quarantine') }}
),

renamed as (
    select
        row_hash,
        emitter_id,
        channel,
        id as event_id,
        reason,
        raw,
        raw_encoding,
        truncated as is_truncated,
        detected_at,
        _dlt_load_id as load_id
    from source
)

select * from renamed
