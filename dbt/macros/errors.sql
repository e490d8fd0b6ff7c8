{#-
    What makes two errors the same: code, message and place in the code, without what differs from
    one occurrence to the next. `notebooks/reading/fingerprints.py` has the same rule, and
    `tests/error_cases.py` the cases that both are tested with.

    A higher number of the rule makes `fct_workflow_errors` judge all its rows again.
-#}
{% macro fingerprint_rule() %}2{% endmacro %}

{#- Code, normalised message and top frame as one hash. -#}
{% macro fingerprint(code, message_normalised, top_frame) -%}
    md5(
        coalesce({{ code }}, '') || chr(10)
        || coalesce({{ message_normalised }}, '') || chr(10)
        || coalesce({{ top_frame }}, '')
    )
{%- endmacro %}

{#-
    A message, at most 300 characters of it, with addresses, ids, numbers and times replaced. An
    HTTP status stays: an error 404 is another than an error 429.
-#}
{% macro normalised_message(message) -%}
    {%- set steps = [
        ("[a-z][a-z0-9+.-]*://[^ \\t\\r\\n\"'`<>]+", '<url>', 'gi'),
        ('[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+', '<email>', 'g'),
        ('(^|[^A-Za-z0-9_])(apn|c|d|dc|hi|o|p|proj|sc|sub|ti|u|wh)_[a-z]*[A-Z][A-Za-z0-9]*', '\\1<n>', 'g'),
        (
            '(^|[^A-Za-z0-9_:.])(\\[[0-9a-f:.]*:[0-9a-f:.]*\\]|[0-9a-f]*[0-9][0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*'
            ~ '|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*[0-9][0-9a-f:]*)',
            '\\1<n>', 'gi'
        ),
        (
            "(^|[^A-Za-z0-9])(https?|https?/[0-9.]+|https? ?error|status|status of|status[ _-]?code|response"
            ~ "|code)([ :=(#\"']*)([1-5][0-9][0-9])($|[^A-Za-z0-9_])",
            '\\1\\2\\3<#\\4#>\\5', 'gi'
        ),
        ('(<#[0-9][0-9][0-9]#>)|[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*', '\\1<n>', 'g'),
        ('<#([0-9][0-9][0-9])#><n>', '\\1', 'g'),
        ('<n>([.,:+]?[.,:+]?<n>)+', '<n>', 'g'),
        ('[ \\t\\r\\n\\f\\v]+', ' ', 'g'),
    ] -%}
    substr(trim({{ pipedream.replaced("substr(" ~ message ~ ", 1, 3000)", steps) }}), 1, 300)
{%- endmacro %}

{#-
    The first frame of a stack that is the user's or a component's, without line, column, hash of
    the code and query; else the first of a library. Null where there is neither: the platform's own
    frames, in which live stacks begin and end, tell nothing of the error.
-#}
{% macro top_frame(stack) -%}
    {%- set line = '\\n[ \\t]*at [^\\r\\n]*' -%}
    {%- set platform = (line ~ '(node_modules/@lambda-v2|launch_worker\\.js|node:[a-z]|[(]internal/)[^\\r\\n]*', '', 'g') -%}
    {%- set library = (line ~ '(node_modules/|[(]<anonymous>|[(]native[)]|[(]index [0-9]+[)])[^\\r\\n]*', '', 'g') -%}
    {%- set first = '\\n[ \\t]*at ([^\\r\\n]*)' -%}
    {%- set frame -%}
        coalesce(
            nullif({{ pipedream.first_match(pipedream.replaced(stack, [platform, library]), first) }}, ''),
            {{ pipedream.first_match(pipedream.replaced(stack, [platform]), first) }}
        )
    {%- endset -%}
    {%- set steps = [
        ('^async ', '', 'g'),
        ('[?][^):]*', '', 'g'),
        ('(:[0-9]+)+', '', 'g'),
        ('([/_.-])[0-9A-Fa-f]{12,}', '\\1<hash>', 'g'),
        ('@[0-9][^/]*', '@<version>', 'g'),
    ] -%}
    nullif(trim({{ pipedream.replaced(frame, steps) }}), '')
{%- endmacro %}

{#-
    A text after replacements by regular expressions, one after the other.

    Args:
        steps: of each its pattern, what replaces it, and its options.
-#}
{% macro replaced(text, steps) -%}
    {%- set found = namespace(sql=text) -%}
    {%- for pattern, replacement, options in steps -%}
        {%- set found.sql = "regexp_replace(" ~ found.sql ~ ", '" ~ pattern | replace("'", "''") ~ "', '" ~ replacement ~ "', '" ~ options ~ "')" -%}
    {%- endfor -%}
    {{- found.sql -}}
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

{#- The condition of the rows of this model that an older rule judged; empty where there are none. -#}
{% macro outdated_fingerprints() %}
    {%- set names = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    {%- if 'fingerprint_rule' not in names -%}
        {{ return('1 = 1') }}
    {%- endif -%}
    {%- set condition = 'fingerprint_rule is distinct from ' ~ pipedream.fingerprint_rule() -%}
    {%- set found = run_query('select count(*) from ' ~ this ~ ' where ' ~ condition) -%}
    {{ return(condition if found.columns[0].values()[0] else '') }}
{% endmacro %}
