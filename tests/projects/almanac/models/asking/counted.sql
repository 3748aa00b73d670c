{% call statement('count', fetch_result=true) %}select count(*) from {{ source('raw', 'days') }}{% endcall %}
select {{ load_result('count')['data'][0][0] if execute else 0 }} as days
