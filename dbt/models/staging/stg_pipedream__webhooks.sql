with source as (
    {{ pipedream.loaded('webhooks') }}
),

renamed as (
    select
        id as webhook_id,
        user_id,
        name,
        description,
        url,
        active as is_active,
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
