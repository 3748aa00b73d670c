select
    order_id,
    count(*) as line_count,
    sum(quantity) as item_count,
    sum(net_amount) as item_amount,
    sum(discount_amount) as discount_amount,
    sum(cost_amount) as cost_amount,
    max(loaded_at) as loaded_at
from {{ ref('int_order_items_priced') }}
group by order_id
