-- The payload itself is a field that every event with a payload has.
with fields as (
    select emitter_id, channel, events from {{ ref('fct_payload_fields') }} where path = '$'
),

events as (
    select emitter_id, channel, count(*) as events
    from {{ ref('fct_events') }}
    where payload_kind is not null
    group by emitter_id, channel
)

select events.*, fields.events as in_fields
from events
full outer join fields on fields.emitter_id = events.emitter_id and fields.channel = events.channel
where fields.events is null or events.events is null or fields.events <> events.events
