with source as (
    {{ pipedream.loaded('event_gaps') }}
),

renamed as (
    select
        emitter_id,
        channel,
        verdict,
        after_id,
        nullif(before_id, '') as before_id,
        gap_start as gap_started_at,
        gap_end as gap_ended_at,
        lost_min,
        lost_likely,
        lost_max,
        method,
        inputs,
        detected_at,
        _dlt_load_id as load_id
    from source
)

select * from renamed
