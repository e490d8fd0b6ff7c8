{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='event_key',
        on_schema_change='append_new_columns',
    )
}}

{%- set outdated = pipedream.outdated_fingerprints() if is_incremental() %}

with unpacked as (
    select * from {{ ref('int_pipedream__errors_unpacked') }}
    {%- if is_incremental() %}
    where load_id in ({{ pipedream.new_loads(ref('int_pipedream__errors_unpacked')) }})
        {%- if outdated %}
        or (event_state <> 'pruned' and event_key in (select event_key from {{ this }} where {{ outdated }}))
        {%- endif %}
    {%- endif %}
),

errors as (
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
        load_id,
        fingerprint_rule
    from unpacked
),

{%- if outdated %}

-- Errors whose payloads are gone are judged by what this table keeps of them.
held as (
    select *
    from {{ this }}
    where {{ outdated }} and event_key not in (select event_key from errors)
),

kept_parts as (
    select
        held.*,
        {{ pipedream.normalised_message('error_message') }} as new_message_normalised,
        {{ pipedream.top_frame("chr(10) || 'at ' || top_frame") }} as new_top_frame
    from held
),

kept as (
    select
        event_key,
        emitter_id,
        event_id,
        emitted_at,
        workflow_id,
        workflow_name,
        {{ pipedream.fingerprint('error_code', 'new_message_normalised', 'new_top_frame') }} as fingerprint,
        error_code,
        error_message,
        new_message_normalised as message_normalised,
        stack_first_line,
        new_top_frame as top_frame,
        cell_id,
        deployment_id,
        project_id,
        trace_id,
        original_event_id,
        original_emitter_id,
        load_id,
        {{ pipedream.fingerprint_rule() }} as fingerprint_rule
    from kept_parts
),
{%- endif %}

final as (
    select * from errors
    {%- if outdated %}
    union all
    select * from kept
    {%- endif %}
)

select * from final
