{#- The rows that arrived since an incremental model last ran; all of them on its first build.
    `compare` is `>=` where the last batch should be read again. -#}
{% macro new_rows(column, compare='>') -%}
    {% if is_incremental() -%}
    where {{ column }} {{ compare }} (select coalesce(max({{ column }}), '1900-01-01') from {{ this }})
    {%- endif %}
{%- endmacro %}
