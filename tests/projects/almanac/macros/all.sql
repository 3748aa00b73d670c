{% macro logged(what) -%}
insert into {{ target.schema }}.hook_log values ('{{ var("run_day") }}', '{{ what }}')
{%- endmacro %}

{% macro stamp(text) %}{{ return(adapter.dispatch('stamp', 'almanac')(text)) }}{% endmacro %}
{% macro default__stamp(text) %}'the project stamps {{ text }}'{% endmacro %}
