{#-
    The structure of a payload: names and types, without values. Null where it cannot be told.

    DuckDB's `json_structure` is fast, but fails at 128 levels, which takes as many brackets, and
    calls both an empty object and a mixture "JSON".
-#}
{% macro payload_structure(payload) %}
    {{- return(adapter.dispatch('payload_structure', 'pipedream')(payload)) -}}
{% endmacro %}

{% macro default__payload_structure(payload) -%}
    case
        when {{ pipedream.count_of(payload, '{') }} + {{ pipedream.count_of(payload, '[') }} <= 120
            then cast(json_structure({{ payload }}) as varchar)
    end
{%- endmacro %}

{% macro postgres__payload_structure(payload) -%}
    cast(null as text)
{%- endmacro %}

{#-
    A text that two payloads share only if they have the same fields of the same types; events of
    one group are unfolded once. Where no structure tells, a payload is a group of its own. An array
    is `["NULL"]` if it is empty or holds nulls alone: then it begins with one.
-#}
{% macro shape_group(payload, structure) %}
    {{- return(adapter.dispatch('shape_group', 'pipedream')(payload, structure)) -}}
{% endmacro %}

{% macro default__shape_group(payload, structure) -%}
    case
        when {{ structure }} is null
            or ({{ structure }} like '%"JSON"%' and {{ structure }} like '%[%')
            or ({{ structure }} like '%["NULL"]%' and regexp_matches(cast({{ payload }} as varchar), '\[\s*null'))
            then md5(cast({{ payload }} as varchar))
        else md5({{ structure }})
    end
{%- endmacro %}

{% macro postgres__shape_group(payload, structure) -%}
    md5(cast({{ payload }} as text))
{%- endmacro %}

{% macro count_of(payload, mark) -%}
    (strlen({{ payload }}) - strlen(replace({{ payload }}, '{{ mark }}', '')))
{%- endmacro %}

{#-
    The fields of some payloads, as CTEs that end with `fields(unfolded_key, path, types, example,
    left_out)`: one row for each path, elements of arrays under one `[*]`. Needs `with recursive`.

    Args:
        examples: a CTE (unfolded_key, payload).
-#}
{% macro unfolded(examples) -%}
{%- set max_depth, max_length = var('pipedream_max_depth', 20), var('pipedream_max_path_length', 300) -%}
{%- set max_fields = var('pipedream_max_fields', 1000) -%}
nodes as (
    select
        unfolded_key,
        cast('$' as {{ dbt.type_string() }}) as path,
        {{ pipedream.json_kind('payload') }} as kind,
        payload as value,
        0 as depth
    from {{ examples }}
    where payload is not null

    union all

    select
        nodes.unfolded_key,
        nodes.path || {{ pipedream.path_step('nodes.kind', 'child.name') }} as path,
        {{ pipedream.json_kind('child.value') }} as kind,
        child.value,
        nodes.depth + 1 as depth
    from nodes
    cross join lateral {{ pipedream.json_children('nodes.value', 'nodes.kind') }} as child
    where nodes.kind in ('object', 'array')
        and nodes.depth < {{ max_depth }}
        and length(nodes.path) <= {{ max_length }}
),

paths as (
    select
        unfolded_key,
        path,
        -- Within an array, null beside another type says only that the value may be missing.
        coalesce(string_agg(distinct nullif(kind, 'null'), ', ' order by nullif(kind, 'null')), 'null') as types,
        substr(min(cast(value as {{ dbt.type_string() }})), 1, 200) as example,
        max(case when length(path) > {{ max_length }} then 1 else 0 end) as is_too_long,
        max(case when depth = {{ max_depth }} and kind in ('object', 'array') then 1 else 0 end) as is_cut
    from nodes
    group by unfolded_key, path
),

numbered as (
    select
        paths.*,
        row_number() over (partition by unfolded_key order by is_too_long, length(path), path) as place
    from paths
),

kept as (
    select
        numbered.*,
        sum(case when is_too_long = 1 or is_cut = 1 or place > {{ max_fields }} then 1 else 0 end)
            over (partition by unfolded_key) as left_out
    from numbered
),

fields as (
    select unfolded_key, path, types, example, left_out
    from kept
    where is_too_long = 0 and place <= {{ max_fields }}
)
{%- endmacro %}

{#- A step of a path: `.name`, `."odd name"` or `[*]`. -#}
{% macro path_step(kind, name) -%}
    case
        when {{ kind }} = 'array' then '[*]'
        when {{ name }} ~ '^[A-Za-z_$][A-Za-z0-9_$]*$' then '.' || {{ name }}
        else '."' || replace(replace({{ name }}, '\', '\\'), '"', '\"') || '"'
    end
{%- endmacro %}
