select stg.component_id
from {{ ref('stg_pipedream__components') }} as stg
left join {{ ref('dim_components') }} as components on components.component_id = stg.component_id
where components.component_id is null
