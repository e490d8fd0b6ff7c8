select stg.source_id, stg.valid_from
from {{ ref('stg_pipedream__sources') }} as stg
left join {{ ref('dim_emitters') }} as emitters
    on emitters.emitter_id = stg.source_id and emitters.valid_from = stg.valid_from
where emitters.emitter_id is null

union all

select emitter_id, min(valid_from)
from {{ ref('dim_emitters') }}
group by emitter_id
having count(case when is_latest then 1 end) <> 1
