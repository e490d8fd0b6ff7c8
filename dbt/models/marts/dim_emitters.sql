with sources as (
    select * from {{ ref('stg_pipedream__sources') }}
),

workflows as (
    select * from {{ ref('stg_pipedream__workflows') }}
),

components as (
    select * from {{ ref('stg_pipedream__components') }}
),

stream_status as (
    select * from {{ ref('stg_pipedream__stream_status') }}
),

events as (
    select emitter_id, max(emitted_at) as last_event_at from {{ ref('fct_events') }} group by emitter_id
),

source_versions as (
    select
        source_id as emitter_id,
        'source' as emitter_type,
        name,
        component_id,
        is_active,
        created_at,
        valid_from,
        valid_to
    from sources
),

-- The API cannot list workflows, so nothing says when one ended.
workflow_versions as (
    select
        workflow_id as emitter_id,
        'workflow' as emitter_type,
        name,
        {{ pipedream.typed_null('text') }} as component_id,
        is_reachable as is_active,
        {{ pipedream.typed_null('timestamp') }} as created_at,
        first_seen_at as valid_from,
        {{ pipedream.typed_null('timestamp') }} as valid_to
    from workflows
),

listed as (
    select * from source_versions
    union all
    select * from workflow_versions
),

named_elsewhere as (
    select emitter_id from events
    union
    select emitter_id from stream_status
),

-- Emitters that were polled by their id alone, or are gone from a list that was never read.
unlisted as (
    select
        named_elsewhere.emitter_id,
        case when named_elsewhere.emitter_id like 'p\_%' escape '\' then 'workflow' else 'source' end as emitter_type,
        {{ pipedream.typed_null('text') }} as name,
        {{ pipedream.typed_null('text') }} as component_id,
        {{ pipedream.typed_null('bool') }} as is_active,
        {{ pipedream.typed_null('timestamp') }} as created_at,
        {{ pipedream.typed_null('timestamp') }} as valid_from,
        {{ pipedream.typed_null('timestamp') }} as valid_to
    from named_elsewhere
    left join listed on listed.emitter_id = named_elsewhere.emitter_id
    where listed.emitter_id is null
),

versions as (
    select listed.*, true as is_listed from listed
    union all
    select unlisted.*, false as is_listed from unlisted
),

ranked as (
    select
        versions.*,
        row_number() over (partition by emitter_id order by valid_from) as version_number,
        row_number() over (partition by emitter_id order by valid_from desc) as age
    from versions
),

final as (
    select
        ranked.emitter_id || ':' || ranked.version_number as emitter_version_key,
        ranked.emitter_id,
        ranked.version_number,
        ranked.emitter_type,
        ranked.name,
        ranked.component_id,
        components.key as component_key,
        components.name as component_name,
        components.version as component_version,
        ranked.is_active,
        ranked.created_at,
        ranked.valid_from,
        ranked.valid_to,
        ranked.age = 1 as is_latest,
        ranked.is_listed and ranked.valid_to is null as is_current,
        ranked.is_listed,
        events.last_event_at
    from ranked
    left join components on components.component_id = ranked.component_id
    left join events on events.emitter_id = ranked.emitter_id
)

select * from final
