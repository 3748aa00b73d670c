{{ config(incremental_strategy='merge', unique_key='id') }}
select id, kind, amount from {{ ref('eph_second') }}
{% if is_incremental() %} where amount > 0 {% endif %}
