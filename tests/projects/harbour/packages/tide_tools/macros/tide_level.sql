{% macro tide_level(column) %}coalesce({{ column }}, 0){% endmacro %}
