with source as (
    {{ pipedream.loaded('stream_status') }}
),

renamed as (
    select
        emitter_id,
        channel,
        last_id as last_event_id,
        last_polled_at,
        verdict,
        window_size,
        window_seconds,
        fill,
        headroom,
        events_per_hour,
        next_poll_at,
        failures,
        last_error,
        _dlt_load_id as load_id
    from source
)

select * from renamed
