{#- Times: what loads name by a number or an id, and the calendar of a time zone. -#}

{#- The time of a load: dlt's load ids are Unix seconds. -#}
{% macro load_time(load_id) -%}
    to_timestamp(cast({{ load_id }} as double precision))
{%- endmacro %}

{#- The time of an event id, `<ms>-<seq>`; of `0-0` the beginning of 1970. -#}
{% macro event_time(event_id) -%}
    to_timestamp(least(cast(split_part({{ event_id }}, '-', 1) as bigint), 253402300799999) / 1000.0)
{%- endmacro %}

{#- An event id as a number that orders as ids do. -#}
{% macro event_order(event_id) -%}
    (cast(split_part({{ event_id }}, '-', 1) as decimal(38, 0)) * 100000000000000000000 + cast(split_part({{ event_id }}, '-', 2) as decimal(38, 0)))
{%- endmacro %}

{#- A time as Unix milliseconds. -#}
{% macro unix_ms(moment) -%}
    cast(floor(extract(epoch from {{ moment }}) * 1000) as bigint)
{%- endmacro %}

{#-
    Seconds from one time to another. DuckDB subtracts times by the calendar of the session's time
    zone, where a day may have 23 or 25 hours.
-#}
{% macro seconds_between(start, until) %}
    {{- return(adapter.dispatch('seconds_between', 'pipedream')(start, until)) -}}
{% endmacro %}

{% macro default__seconds_between(start, until) -%}
    ((epoch_us({{ until }}) - epoch_us({{ start }})) / 1000000.0)
{%- endmacro %}

{% macro postgres__seconds_between(start, until) -%}
    cast(extract(epoch from ({{ until }} - {{ start }})) as double precision)
{%- endmacro %}

{#- How long after its time an event may become visible: what a poll leaves open before it. -#}
{% macro late_stretch() -%}
    interval '60 seconds'
{%- endmacro %}

{#- Days of 24 hours: `interval '1 day'` is one of the session's time zone. -#}
{% macro days(number) -%}
    interval '{{ (number | float * 86400) | int }} seconds'
{%- endmacro %}

{#- The day of a time in the project's time zone. -#}
{% macro local_day(moment) -%}
    cast({{ moment }} at time zone '{{ var("pipedream_time_zone", "UTC") }}' as date)
{%- endmacro %}

{#- When a day begins in the project's time zone. -#}
{% macro day_start(day) -%}
    (cast({{ day }} as timestamp) at time zone '{{ var("pipedream_time_zone", "UTC") }}')
{%- endmacro %}

{#- The hour of UTC that a time is in. -#}
{% macro hour_of(moment) -%}
    (date_trunc('hour', {{ moment }} at time zone 'UTC') at time zone 'UTC')
{%- endmacro %}

{#- One row for each step from one time or day to another, both included, as a select item. -#}
{% macro each_step(first, last, step) %}
    {{- return(adapter.dispatch('each_step', 'pipedream')(first, last, step)) -}}
{% endmacro %}

{% macro default__each_step(first, last, step) -%}
    unnest(generate_series({{ first }}, {{ last }}, interval '{{ step }}'))
{%- endmacro %}

{% macro postgres__each_step(first, last, step) -%}
    generate_series({{ first }}, {{ last }}, interval '{{ step }}')
{%- endmacro %}
