with source as (
    {{ pipedream.loaded('sources') }}
),

renamed as (
    select
        id as source_id,
        component_id,
        user_id,
        name,
        name_slug,
        active as is_active,
        configured_props,
        created_at,
        updated_at,
        listed_in,
        extra,
        _dlt_valid_from as valid_from,
        _dlt_valid_to as valid_to,
        _dlt_load_id as load_id
    from source
)

select * from renamed
