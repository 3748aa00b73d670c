{{ config(
    materialized='incremental', unique_key=['call_id', 'ship_id'], cluster_by=['arrived_at'],
    batching={'size': 'day', 'steps': [1, 7]}
) }}
select c.call_id, c.ship_id, c.berth_id
from {{ ref('stg_calls') }} as c
join {{ ref('dim_ships') }} as s using (ship_id)
join {{ ref('tide_tools', 'stg_tides') }} as t on true
{% if is_incremental() %} where c.arrived_at > (select max(arrived_at) from {{ this }}) {% endif %}
