select stg.emitter_id, stg.channel, stg.event_id
from {{ ref('stg_pipedream__workflow_errors') }} as stg
left join {{ ref('fct_workflow_errors') }} as errors
    on errors.emitter_id = stg.emitter_id and errors.event_id = stg.event_id
where errors.event_key is null
