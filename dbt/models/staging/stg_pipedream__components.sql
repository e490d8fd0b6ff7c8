with source as (
    {{ pipedream.loaded('components') }}
),

renamed as (
    select
        id as component_id,
        key,
        name,
        version,
        code_hash,
        configurable_props,
        created_at,
        updated_at,
        extra,
        _dlt_load_id as load_id
    from source
)

select * from renamed
