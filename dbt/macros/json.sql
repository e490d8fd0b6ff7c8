{#- JSON, for each database: the only place where its dialects differ on it. -#}

{#- The text at a path of plain keys, such as ['error', 'code'], or with none of the whole; null where there is none. -#}
{% macro json_text(column, keys) %}
    {{- return(adapter.dispatch('json_text', 'pipedream')(column, keys)) -}}
{% endmacro %}

{% macro default__json_text(column, keys) -%}
    json_extract_string({{ column }}, '{{ (["$"] + keys) | join(".") }}')
{%- endmacro %}

{% macro postgres__json_text(column, keys) -%}
    ({{ column }} #>> '{{ "{" ~ keys | join(",") ~ "}" }}')
{%- endmacro %}

{#- The same, as JSON. -#}
{% macro json_value(column, keys) %}
    {{- return(adapter.dispatch('json_value', 'pipedream')(column, keys)) -}}
{% endmacro %}

{% macro default__json_value(column, keys) -%}
    json_extract({{ column }}, '$.{{ keys | join(".") }}')
{%- endmacro %}

{% macro postgres__json_value(column, keys) -%}
    ({{ column }} #> '{{ "{" ~ keys | join(",") ~ "}" }}')
{%- endmacro %}

{#- `object`, `array`, `string`, `number`, `boolean` or `null`; SQL's null of none. -#}
{% macro json_kind(column) %}
    {{- return(adapter.dispatch('json_kind', 'pipedream')(column)) -}}
{% endmacro %}

{% macro default__json_kind(column) -%}
    case when {{ column }} is not null then
        case json_type({{ column }})
            when 'OBJECT' then 'object'
            when 'ARRAY' then 'array'
            when 'VARCHAR' then 'string'
            when 'BOOLEAN' then 'boolean'
            when 'NULL' then 'null'
            else 'number'
        end
    end
{%- endmacro %}

{% macro postgres__json_kind(column) -%}
    jsonb_typeof({{ column }})
{%- endmacro %}

{#- Bytes of a JSON text in UTF-8. -#}
{% macro json_bytes(column) %}
    {{- return(adapter.dispatch('json_bytes', 'pipedream')(column)) -}}
{% endmacro %}

{% macro default__json_bytes(column) -%}
    strlen(cast({{ column }} as varchar))
{%- endmacro %}

{% macro postgres__json_bytes(column) -%}
    cast(octet_length(cast({{ column }} as text)) as bigint)
{%- endmacro %}

{#- What is directly within a value, as a lateral table `child(name, value)`; an element has no name. -#}
{% macro json_children(value, kind) %}
    {{- return(adapter.dispatch('json_children', 'pipedream')(value, kind)) -}}
{% endmacro %}

{% macro default__json_children(value, kind) -%}
    (select case when {{ kind }} = 'object' then inner_.key end as name, inner_.value from json_each({{ value }}) as inner_)
{%- endmacro %}

{% macro postgres__json_children(value, kind) -%}
    (
        select key as name, value from jsonb_each(case when {{ kind }} = 'object' then {{ value }} else '{}' end)
        union all
        select null, value from jsonb_array_elements(case when {{ kind }} = 'array' then {{ value }} else '[]' end)
    )
{%- endmacro %}
