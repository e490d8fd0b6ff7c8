with source as (
    {{ pipedream.loaded('stream_coverage') }}
),

renamed as (
    select
        emitter_id,
        channel,
        from_id,
        opened_at,
        begins,
        covered_from,
        covered_until,
        until_id,
        until_at,
        events as events_loaded,
        polls,
        longest_pause_s,
        _dlt_load_id as load_id
    from source
)

select * from renamed
