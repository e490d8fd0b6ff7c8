with sources as (
    select * from {{ ref('stg_pipedream__sources') }}
),

components as (
    select * from {{ ref('stg_pipedream__components') }}
),

component_code as (
    select * from {{ ref('stg_pipedream__component_code') }}
),

uses as (
    select
        component_id,
        count(distinct case when valid_to is null then source_id end) as sources,
        count(distinct case when valid_to is null and is_active then source_id end) as active_sources
    from sources
    where component_id is not null
    group by component_id
),

all_ids as (
    select component_id from components
    union
    select component_id from uses
),

final as (
    select
        all_ids.component_id,
        components.key,
        components.name,
        components.version,
        components.code_hash,
        length(component_code.code) as code_characters,
        components.configurable_props,
        components.created_at,
        components.updated_at,
        components.component_id is not null as is_readable,
        coalesce(uses.sources, 0) as sources,
        coalesce(uses.active_sources, 0) as active_sources
    from all_ids
    left join components on components.component_id = all_ids.component_id
    left join component_code on component_code.code_hash = components.code_hash
    left join uses on uses.component_id = all_ids.component_id
)

select * from final
