with grouped as (
    select coalesce(sum(errors), 0) as errors from {{ ref('fct_error_groups') }}
),

single as (
    select count(*) as errors from {{ ref('fct_workflow_errors') }}
)

select grouped.errors as in_groups, single.errors
from grouped
cross join single
where grouped.errors <> single.errors
