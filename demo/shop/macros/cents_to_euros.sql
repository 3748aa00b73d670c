{#- The source counts in cents; reports speak of euros with two decimals. -#}
{% macro cents_to_euros(expression) -%}
    cast(({{ expression }}) / 100.0 as decimal(18, 2))
{%- endmacro %}
