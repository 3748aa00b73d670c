{{ config(materialized='view') }}

-- Orders whose captured payments do not match what was ordered.
select
    order_id,
    status,
    ordered_on,
    order_amount,
    paid_amount,
    paid_amount - order_amount as difference
from {{ ref('fct_orders') }}
where status in ('shipped', 'completed')
    and paid_amount != order_amount
