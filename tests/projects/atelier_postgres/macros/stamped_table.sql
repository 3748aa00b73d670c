{% materialization stamped_table, adapter='postgres' %}
  {%- set target = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks) }}
  {% call statement('main') %}
    drop table if exists {{ target }} cascade;
    create table {{ target }} as select *, 'stamped' as stamp from ({{ sql }}) as rows
  {% endcall %}
  {{ run_hooks(post_hooks) }}
  {{ adapter.commit() }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
