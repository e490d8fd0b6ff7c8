with source as (
    {{ pipedream.loaded('deletions') }}
),

renamed as (
    select
        emitter_id,
        channel,
        from_id,
        until_id,
        proven_from,
        events as events_deleted,
        deleted_at,
        _dlt_load_id as load_id
    from source
)

select * from renamed
