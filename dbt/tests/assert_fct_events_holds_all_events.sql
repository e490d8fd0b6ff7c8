-- Every event that is loaded stands in the mart; rows that somebody took out of the tables stay.
select events.event_key
from {{ ref('int_pipedream__events') }} as events
left join {{ ref('fct_events') }} as fct_events on fct_events.event_key = events.event_key
where fct_events.event_key is null
