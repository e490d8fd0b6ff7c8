with source as (
    {{ pipedream.loaded('component_code') }}
),

renamed as (
    select
        code_hash,
        code,
        _dlt_load_id as load_id
    from source
)

select * from renamed
