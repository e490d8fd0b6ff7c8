with source as (
    {{ pipedream.loaded('workflows') }}
),

renamed as (
    select
        id as workflow_id,
        name,
        discovered_by,
        reachable as is_reachable,
        first_seen_at,
        last_seen_at,
        _dlt_load_id as load_id
    from source
)

select * from renamed
