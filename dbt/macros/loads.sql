{#-
    The loads that this model does not hold whole yet: those that brought more rows of a relation
    than stand here. Not "later than the last one": two machines may load out of order, and a load
    that was killed is completed under its old id.
-#}
{% macro new_loads(relation) -%}
    select arrived.load_id
    from (select load_id, count(*) as events from {{ relation }} group by load_id) as arrived
    left join (select load_id, count(*) as events from {{ this }} group by load_id) as held
        on held.load_id = arrived.load_id
    where arrived.events > coalesce(held.events, 0)
{%- endmacro %}

{#-
    All rows of a loaded table, or none where the table was never loaded: `load_runs` is written by
    the command alone, and who picks resources has no other tables.
-#}
{% macro loaded(table) -%}
    {%- set relation = source('pipedream', table) -%}
    {%- if execute and load_relation(relation) is none -%}
        select
        {%- for column in (graph.sources.values() | selectattr('source_name', 'equalto', 'pipedream') | selectattr('name', 'equalto', table) | first).columns.values() %}
            {{ pipedream.typed_null(column.data_type) }} as {{ column.name }}{{ "," if not loop.last }}
        {%- endfor %}
        where 1 = 0
    {%- else -%}
        select * from {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- A database's name for one of dlt's types. -#}
{% macro column_type(data_type) %}
    {{- return(adapter.dispatch('column_type', 'pipedream')(data_type)) -}}
{% endmacro %}

{% macro default__column_type(data_type) -%}
    {{ {'timestamp': 'timestamptz', 'bool': 'boolean'}.get(data_type, data_type) }}
{%- endmacro %}

{% macro postgres__column_type(data_type) -%}
    {{ {'timestamp': 'timestamptz', 'bool': 'boolean', 'double': 'double precision', 'json': 'jsonb'}.get(data_type, data_type) }}
{%- endmacro %}

{#- Null of one of dlt's types. -#}
{% macro typed_null(data_type) -%}
    cast(null as {{ pipedream.column_type(data_type) | trim }})
{%- endmacro %}
