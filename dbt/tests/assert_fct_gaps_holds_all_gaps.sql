with marts as (
    select count(*) as gaps, coalesce(sum(lost_min), 0) as lost_min, coalesce(sum(lost_max), 0) as lost_max
    from {{ ref('fct_gaps') }}
),

staged as (
    select count(*) as gaps, coalesce(sum(lost_min), 0) as lost_min, coalesce(sum(lost_max), 0) as lost_max
    from {{ ref('stg_pipedream__event_gaps') }}
)

select marts.gaps, staged.gaps as gaps_due
from marts
cross join staged
where marts.gaps <> staged.gaps or marts.lost_min <> staged.lost_min or marts.lost_max <> staged.lost_max
