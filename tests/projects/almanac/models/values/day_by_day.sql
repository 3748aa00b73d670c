{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='d') }}
select
    d,
    n * {{ var('factor', 1) }} as n,
    '{{ var("region") }}' as region,
    '{{ run_started_at.strftime("%Y-%m-%d") }}' as built_on
from {{ source('raw', 'days') }}
{% if is_incremental() %} where d = '{{ var("run_day") }}'
{% else %} where d <= '{{ var("run_day") }}' {% endif %}
