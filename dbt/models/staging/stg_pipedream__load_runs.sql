with source as (
    {{ pipedream.loaded('load_runs') }}
),

renamed as (
    select
        run_id,
        started_at,
        finished_at,
        streams_polled,
        streams_failed,
        streams_skipped,
        events_new,
        gaps,
        lost_min,
        lost_likely,
        lost_max,
        requests,
        bytes,
        retries,
        version,
        _dlt_load_id as load_id
    from source
)

select * from renamed
