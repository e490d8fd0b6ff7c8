{#- Some columns together name a row: what `unique` says of one. -#}
{% test unique_together(model, columns) %}
    select {{ columns | join(", ") }}, count(*) as copies
    from {{ model }}
    group by {{ columns | join(", ") }}
    having count(*) > 1
{% endtest %}
