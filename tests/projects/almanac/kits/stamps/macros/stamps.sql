{% macro default__stamp(text) %}'the package stamps {{ text }} on {{ target.type }}'{% endmacro %}

{# Takes the place of dbt's own. #}
{% materialization view, default %}
  {%- set made = this.incorporate(type='view') -%}
  {% call statement('gone') %}drop view if exists {{ made }}{% endcall %}
  {% call statement('main') -%}
    create view {{ made }} as select 'stamped' as stamp, found.* from ({{ sql }}) as found
  {%- endcall %}
  {{ return({'relations': [made]}) }}
{% endmaterialization %}
