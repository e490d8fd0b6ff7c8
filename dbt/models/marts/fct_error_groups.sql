with errors as (
    select * from {{ ref('fct_workflow_errors') }}
),

clock as (
    select * from {{ ref('int_pipedream__as_of') }}
),

paced as (
    select
        errors.*,
        lag(emitted_at) over (partition by fingerprint order by emitted_at, event_key) as emitted_before_at,
        row_number() over (partition by fingerprint order by emitted_at desc, event_key desc) as age
    from errors
),

grouped as (
    select
        fingerprint,
        min(emitted_at) as first_seen_at,
        max(emitted_at) as last_seen_at,
        count(*) as errors,
        count(distinct workflow_id) as workflows,
        string_agg(distinct workflow_id, ', ' order by workflow_id) as workflow_ids,
        max(case
            when emitted_at - {{ pipedream.days(var("pipedream_back_days", 7)) }} >= emitted_before_at then emitted_at
        end) as came_back_at,
        max(case when age = 1 then event_key end) as last_event_key,
        max(case when age = 1 then error_code end) as error_code,
        max(case when age = 1 then error_message end) as last_message,
        max(case when age = 1 then message_normalised end) as message_normalised,
        max(case when age = 1 then top_frame end) as top_frame
    from paced
    group by fingerprint
),

recent as (
    select errors.fingerprint, count(*) as errors_24h
    from errors
    cross join clock
    where errors.emitted_at > clock.as_of - interval '24 hours'
    group by errors.fingerprint
),

final as (
    select
        grouped.fingerprint,
        grouped.error_code,
        grouped.message_normalised,
        grouped.top_frame,
        grouped.last_message,
        grouped.first_seen_at,
        grouped.last_seen_at,
        grouped.errors,
        coalesce(recent.errors_24h, 0) as errors_24h,
        grouped.workflows,
        grouped.workflow_ids,
        coalesce(grouped.first_seen_at > clock.as_of - {{ pipedream.days(var("pipedream_new_days", 1)) }}, false) as is_new,
        grouped.came_back_at,
        coalesce(grouped.came_back_at > clock.as_of - {{ pipedream.days(var("pipedream_new_days", 1)) }}, false) as is_back,
        grouped.last_event_key,
        clock.as_of
    from grouped
    cross join clock
    left join recent on recent.fingerprint = grouped.fingerprint
)

select * from final
