-- The lines of an order must add up to what the order says they cost.
with items as (

    select order_id, sum(net_amount) as net_amount
    from {{ ref('fct_order_items') }}
    group by order_id

)

select
    orders.order_id,
    orders.item_amount,
    items.net_amount
from {{ ref('fct_orders') }} as orders
left join items using (order_id)
where orders.item_amount is distinct from items.net_amount
