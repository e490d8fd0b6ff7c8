{%- set periods = {'1h': '1 hour', '24h': '24 hours', '7d': '168 hours'} -%}

with events as (
    select * from {{ ref('fct_events') }} where emitter_id like 'p\_%' escape '\'
),

emitters as (
    select * from {{ ref('dim_emitters') }} where is_latest and emitter_type = 'workflow'
),

clock as (
    select * from {{ ref('int_pipedream__as_of') }}
),

counted as (
    select
        events.emitter_id,
        {%- for name, period in periods.items() %}
        count(case when is_error and emitted_at > clock.as_of - interval '{{ period }}' then 1 end) as errors_{{ name }},
        count(case when not is_error and emitted_at > clock.as_of - interval '{{ period }}' then 1 end) as emits_{{ name }},
        {%- endfor %}
        max(case when not is_error then emitted_at end) as last_success_at,
        max(case when is_error then emitted_at end) as last_error_at
    from events
    cross join clock
    group by events.emitter_id
),

streaks as (
    select events.emitter_id, count(*) as error_streak
    from events
    inner join counted on counted.emitter_id = events.emitter_id
    where events.is_error and (counted.last_success_at is null or events.emitted_at > counted.last_success_at)
    group by events.emitter_id
),

final as (
    select
        emitters.emitter_id as workflow_id,
        emitters.name as workflow_name,
        {%- for name in periods %}
        coalesce(counted.errors_{{ name }}, 0) as errors_{{ name }},
        coalesce(counted.emits_{{ name }}, 0) as emits_{{ name }},
        cast(counted.errors_{{ name }} as double precision)
            / nullif(counted.errors_{{ name }} + counted.emits_{{ name }}, 0) as error_rate_{{ name }},
        {%- endfor %}
        counted.last_success_at,
        counted.last_error_at,
        coalesce(streaks.error_streak, 0) as error_streak,
        clock.as_of
    from emitters
    cross join clock
    left join counted on counted.emitter_id = emitters.emitter_id
    left join streaks on streaks.emitter_id = emitters.emitter_id
)

select * from final
