{#- What makes two errors the same: their texts without what differs from one to the next. -#}

{#- A message with addresses and every word that has a digit replaced, at most 300 characters. -#}
{% macro normalised_message(message) -%}
    substr(
        trim(regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace({{ message }}, '[a-z]+://[^[:space:]]+', '<url>', 'g'),
                    '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+', '<email>', 'g'
                ),
                '[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*', '<n>', 'g'
            ),
            '[[:space:]]+', ' ', 'g'
        )),
        1, 300
    )
{%- endmacro %}

{#- The first line of a stack that begins with `at`, without line and column; null where none does. -#}
{% macro top_frame(stack) -%}
    nullif(trim(regexp_replace({{ pipedream.first_match(stack, '\n[ \t]*at ([^\r\n]*)') }}, '(:[0-9]+)+', '', 'g')), '')
{%- endmacro %}

{#- What the group of a regular expression matched first; null or empty where nothing did. -#}
{% macro first_match(text, pattern) %}
    {{- return(adapter.dispatch('first_match', 'pipedream')(text, pattern)) -}}
{% endmacro %}

{% macro default__first_match(text, pattern) -%}
    regexp_extract({{ text }}, '{{ pattern }}', 1)
{%- endmacro %}

{% macro postgres__first_match(text, pattern) -%}
    substring({{ text }} from '{{ pattern }}')
{%- endmacro %}
