select
    customer_id,
    min(ordered_on) as first_ordered_on,
    max(ordered_on) as last_ordered_on,
    count(*) as order_count,
    count(*) filter (where status = 'returned') as returned_count,
    sum(paid_amount) as lifetime_value
from {{ ref('fct_orders') }}
where status != 'cancelled'
group by customer_id
