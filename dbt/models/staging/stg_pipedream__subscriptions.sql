with source as (
    {{ pipedream.loaded('subscriptions') }}
),

renamed as (
    select
        id as subscription_id,
        emitter_id,
        emitter_kind,
        listener_id,
        listener_kind,
        event_name,
        listed_in,
        extra,
        _dlt_load_id as load_id
    from source
)

select * from renamed
