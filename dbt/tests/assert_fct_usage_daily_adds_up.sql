-- Every snapshot counts on one day, and none shows more used than its day does.
with snapshots as (
    select user_id as owner_id, snapshot_at, credits_used, invocations_used from {{ ref('stg_pipedream__users') }}
    union all
    select workspace_id, snapshot_at, credits_used, invocations_used from {{ ref('stg_pipedream__workspaces') }}
)

select snapshots.owner_id, snapshots.snapshot_at
from snapshots
left join {{ ref('fct_usage_daily') }} as days
    on days.owner_id = snapshots.owner_id
    and days.used_on = cast(snapshots.snapshot_at at time zone 'UTC' as date)
where days.owner_id is null
    or snapshots.credits_used > days.credits_used
    or snapshots.invocations_used > days.invocations_used

union all

select 'all', null
from (select coalesce(sum(snapshots), 0) as counted from {{ ref('fct_usage_daily') }}) as days
cross join (select count(*) as due from snapshots) as snapshot_count
where days.counted <> snapshot_count.due
