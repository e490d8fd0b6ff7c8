{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='event_key',
    )
}}

with errors as (
    select * from {{ ref('int_pipedream__errors_unpacked') }}
    {%- if is_incremental() %}
    where load_id in ({{ pipedream.new_loads(ref('int_pipedream__errors_unpacked')) }})
    {%- endif %}
),

final as (
    select
        event_key,
        emitter_id,
        event_id,
        emitted_at,
        workflow_id,
        workflow_name,
        fingerprint,
        error_code,
        error_message,
        message_normalised,
        stack_first_line,
        top_frame,
        cell_id,
        deployment_id,
        project_id,
        trace_id,
        original_event_id,
        original_emitter_id,
        load_id
    from errors
)

select * from final
