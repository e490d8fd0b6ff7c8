with workflow_errors as (
    select * from {{ ref('int_pipedream__events') }} where event_kind = 'workflow_error'
),

unpacked as (
    select
        event_key,
        emitter_id,
        event_id,
        emitted_at,
        load_id,
        event_state,
        {{ pipedream.json_text('payload', ['error', 'code']) }} as error_code,
        coalesce(
            {{ pipedream.json_text('payload', ['error', 'msg']) }},
            {{ pipedream.json_text('payload', ['error', 'message']) }},
            -- An error that is no object is its own message.
            case when {{ pipedream.json_kind(pipedream.json_value('payload', ['error'])) }} in ('string', 'number', 'boolean')
                then {{ pipedream.json_text('payload', ['error']) }} end,
            case when {{ pipedream.json_kind('payload') }} in ('string', 'number', 'boolean')
                then {{ pipedream.json_text('payload', []) }} end
        ) as error_message,
        {{ pipedream.json_text('payload', ['error', 'stack']) }} as stack,
        {{ pipedream.json_text('payload', ['error', 'cellId']) }} as cell_id,
        coalesce({{ pipedream.json_text('payload', ['original_context', 'workflow_id']) }}, emitter_id) as workflow_id,
        {{ pipedream.json_text('payload', ['original_context', 'workflow_name']) }} as workflow_name,
        {{ pipedream.json_text('payload', ['original_context', 'deployment_id']) }} as deployment_id,
        {{ pipedream.json_text('payload', ['original_context', 'project_id']) }} as project_id,
        {{ pipedream.json_text('payload', ['original_context', 'trace_id']) }} as trace_id,
        {{ pipedream.json_text('payload', ['original_context', 'id']) }} as original_event_id,
        {{ pipedream.json_text('payload', ['original_context', 'emitter_id']) }} as original_emitter_id,
        {{ pipedream.json_value('payload', ['original_event']) }} as original_event
    from workflow_errors
),

framed as (
    select
        unpacked.*,
        rtrim(split_part(stack, chr(10), 1), chr(13)) as stack_first_line,
        {{ pipedream.top_frame('stack') }} as top_frame,
        {{ pipedream.normalised_message('error_message') }} as message_normalised
    from unpacked
),

fingerprinted as (
    select
        framed.*,
        {{ pipedream.fingerprint('error_code', 'message_normalised', 'top_frame') }} as fingerprint,
        {{ pipedream.fingerprint_rule() }} as fingerprint_rule
    from framed
)

select * from fingerprinted
