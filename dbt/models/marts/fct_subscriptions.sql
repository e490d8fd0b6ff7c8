with subscriptions as (
    select * from {{ ref('stg_pipedream__subscriptions') }}
),

emitters as (
    select * from {{ ref('dim_emitters') }} where is_latest
),

webhooks as (
    select * from {{ ref('stg_pipedream__webhooks') }}
),

users as (
    select * from {{ ref('stg_pipedream__users') }}
),

workspaces as (
    select * from {{ ref('stg_pipedream__workspaces') }}
),

-- As they are called now.
user_names as (
    select user_id, username, row_number() over (partition by user_id order by snapshot_at desc) as age
    from users
),

workspace_names as (
    select workspace_id, name, row_number() over (partition by workspace_id order by snapshot_at desc) as age
    from workspaces
),

webhook_versions as (
    select webhooks.*, row_number() over (partition by webhook_id order by valid_from desc) as age
    from webhooks
),

parties as (
    select emitter_id as party_id, emitter_type as party_type, name, is_current or not is_listed as is_there from emitters
    union all
    select webhook_id, 'webhook', coalesce(name, url), valid_to is null from webhook_versions where age = 1
    union all
    select workspace_id, 'workspace', name, true from workspace_names where age = 1
    union all
    select user_id, 'user', username, true from user_names where age = 1
),

final as (
    select
        subscriptions.subscription_id,
        subscriptions.emitter_id,
        coalesce(emitter.party_type, subscriptions.emitter_kind) as emitter_type,
        emitter.name as emitter_name,
        subscriptions.emitter_id like '%*%' as is_pattern,
        case when subscriptions.emitter_id like '%*%' then true else coalesce(emitter.is_there, false) end as emitter_exists,
        coalesce(subscriptions.event_name, '') as event_name,
        subscriptions.listener_id,
        coalesce(listener.party_type, subscriptions.listener_kind) as listener_type,
        listener.name as listener_name,
        coalesce(listener.is_there, false) as listener_exists,
        subscriptions.load_id
    from subscriptions
    left join parties as emitter on emitter.party_id = subscriptions.emitter_id
    left join parties as listener on listener.party_id = subscriptions.listener_id
)

select * from final
