-- The errors of the last seven days are those that are loaded.
with health as (
    select coalesce(sum(errors_7d), 0) as errors, coalesce(sum(emits_7d), 0) as emits from {{ ref('fct_workflow_health') }}
),

events as (
    select
        count(case when is_error then 1 end) as errors,
        count(case when not is_error then 1 end) as emits
    from {{ ref('int_pipedream__events') }}
    cross join {{ ref('int_pipedream__as_of') }} as clock
    where event_kind in ('workflow_emit', 'workflow_error') and emitted_at > clock.as_of - interval '168 hours'
)

select health.errors, events.errors as errors_due, health.emits, events.emits as emits_due
from health
cross join events
where health.errors < events.errors or health.emits < events.emits
