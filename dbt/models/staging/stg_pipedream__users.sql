with source as (
    {{ pipedream.loaded('users') }}
),

renamed as (
    select
        id as user_id,
        snapshot_at,
        username,
        email,
        org_ids as workspace_ids,
        daily_credits_quota as credits_quota,
        daily_credits_used as credits_used,
        daily_compute_time_quota as compute_time_quota,
        daily_compute_time_used as compute_time_used,
        daily_invocations_quota as invocations_quota,
        daily_invocations_used as invocations_used,
        billing_period_start_ts as billing_period_started_at,
        billing_period_end_ts as billing_period_ends_at,
        billing_period_credits,
        extra,
        _dlt_load_id as load_id
    from source
)

select * from renamed
