{%- set measures = ['credits', 'invocations', 'compute_time'] -%}

with users as (
    select * from {{ ref('stg_pipedream__users') }}
),

workspaces as (
    select * from {{ ref('stg_pipedream__workspaces') }}
),

snapshots as (
    select
        'user' as owner_type, user_id as owner_id, username as owner_name, snapshot_at,
        {%- for measure in measures %} {{ measure }}_quota, {{ measure }}_used,{% endfor %}
        billing_period_started_at, billing_period_ends_at, billing_period_credits
    from users

    union all

    select
        'workspace' as owner_type, workspace_id as owner_id, name as owner_name, snapshot_at,
        {%- for measure in measures %} {{ measure }}_quota, {{ measure }}_used,{% endfor %}
        billing_period_started_at, billing_period_ends_at, billing_period_credits
    from workspaces
),

-- The counters begin anew at midnight UTC, whatever the project's time zone.
dated as (
    select
        snapshots.*,
        cast(snapshot_at at time zone 'UTC' as date) as used_on,
        row_number() over (
            partition by owner_id, cast(snapshot_at at time zone 'UTC' as date) order by snapshot_at desc
        ) as age
    from snapshots
),

daily as (
    select
        owner_type,
        owner_id,
        used_on,
        count(*) as snapshots,
        max(case when age = 1 then owner_name end) as owner_name,
        max(snapshot_at) as last_snapshot_at,
        {%- for measure in measures %}
        max(case when age = 1 then {{ measure }}_quota end) as {{ measure }}_quota,
        max({{ measure }}_used) as {{ measure }}_used,
        min(case when {{ measure }}_used >= {{ measure }}_quota then snapshot_at end) as {{ measure }}_used_up_at,
        {%- endfor %}
        max(case when age = 1 then billing_period_started_at end) as billing_period_started_at,
        max(case when age = 1 then billing_period_ends_at end) as billing_period_ends_at,
        max(case when age = 1 then billing_period_credits end) as billing_period_credits
    from dated
    group by owner_type, owner_id, used_on
),

timed as (
    select
        daily.*,
        (cast(used_on as timestamp) at time zone 'UTC') as day_started_at,
        {{ pipedream.seconds_between("(cast(used_on as timestamp) at time zone 'UTC')", 'last_snapshot_at') }} as seconds_passed
    from daily
),

final as (
    select
        owner_type,
        owner_id,
        owner_name,
        used_on,
        snapshots,
        last_snapshot_at,
        {%- for measure in measures %}
        {{ measure }}_used,
        {{ measure }}_quota,
        cast({{ measure }}_used as double precision) / nullif({{ measure }}_quota, 0) as {{ measure }}_share,
        cast({{ measure }}_used as double precision) * 86400 / nullif(seconds_passed, 0) as {{ measure }}_projected,
        case
            when {{ measure }}_used >= {{ measure }}_quota then coalesce({{ measure }}_used_up_at, last_snapshot_at)
            when {{ measure }}_used > 0 and {{ measure }}_quota * seconds_passed <= {{ measure }}_used * 86400.0
                then day_started_at + interval '1 second' * ({{ measure }}_quota * seconds_passed / {{ measure }}_used)
        end as {{ measure }}_quota_ends_at,
        {%- endfor %}
        billing_period_started_at,
        billing_period_ends_at,
        billing_period_credits,
        cast(billing_period_credits as double precision)
            * {{ pipedream.seconds_between('billing_period_started_at', 'billing_period_ends_at') }}
            / nullif({{ pipedream.seconds_between('billing_period_started_at', 'last_snapshot_at') }}, 0)
            as billing_period_projected
    from timed
)

select * from final
