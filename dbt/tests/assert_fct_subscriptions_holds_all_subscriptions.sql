select stg.subscription_id
from {{ ref('stg_pipedream__subscriptions') }} as stg
full outer join {{ ref('fct_subscriptions') }} as marts on marts.subscription_id = stg.subscription_id
where stg.subscription_id is null or marts.subscription_id is null
