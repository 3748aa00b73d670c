{{ config(severity='warn', warn_if='> 0', tags=['event-log']) }}

-- Nothing can be shipped before it was placed.
select event.order_id
from {{ ref('fct_order_events') }} as event
inner join {{ ref('fct_orders') }} as orders using (order_id)
where event.occurred_at < orders.ordered_at
