with source_events as (
    select * from {{ ref('stg_pipedream__source_event_summaries') }}
),

workflow_emits as (
    select * from {{ ref('stg_pipedream__workflow_emits') }}
),

workflow_errors as (
    select * from {{ ref('stg_pipedream__workflow_errors') }}
),

unioned as (
    select 'source_event' as event_kind, source_events.* from source_events
    union all
    select 'workflow_emit' as event_kind, workflow_emits.* from workflow_emits
    union all
    select 'workflow_error' as event_kind, workflow_errors.* from workflow_errors
),

keyed as (
    select
        emitter_id || ':' || channel || ':' || event_id as event_key,
        event_kind,
        event_kind = 'workflow_error' or channel = '$errors' as is_error,
        emitter_id,
        channel,
        event_id,
        emitted_at,
        event_seq,
        indexed_at,
        payload,
        event_state,
        emit_id,
        origin,
        load_id
    from unioned
)

select * from keyed
