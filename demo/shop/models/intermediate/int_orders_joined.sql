{{ config(materialized='ephemeral') }}

select
    orders.order_id,
    orders.customer_id,
    orders.status,
    orders.channel,
    orders.ordered_at,
    orders.ordered_on,
    orders.status_changed_at,
    totals.line_count,
    totals.item_count,
    totals.item_amount,
    totals.discount_amount,
    totals.cost_amount,
    orders.shipping_amount,
    totals.item_amount + orders.shipping_amount as order_amount,
    coalesce(payments.paid_amount, 0) as paid_amount,
    coalesce(payments.refunded_amount, 0) as refunded_amount,
    greatest(orders.loaded_at, totals.loaded_at, payments.loaded_at) as loaded_at
from {{ ref('stg_orders') }} as orders
inner join {{ ref('int_order_totals') }} as totals using (order_id)
left join {{ ref('int_payments_by_order') }} as payments using (order_id)
