{% macro tidy(column) %}{{ trimmed(column) }}{% endmacro %}

{% macro trimmed(column) %}trim({{ column }}){% endmacro %}

{% test row_count_above(model, least) %}
select 1 as failure where (select count(*) from {{ model }}) <= {{ least }}
{% endtest %}
