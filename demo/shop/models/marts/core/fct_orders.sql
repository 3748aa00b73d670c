{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='order_id',
        on_schema_change='append_new_columns',
    )
}}

-- One row per order. Orders change for weeks after they were placed: new versions are merged in.
select
    order_id,
    customer_id,
    status,
    channel,
    ordered_at,
    ordered_on,
    status_changed_at,
    line_count,
    item_count,
    item_amount,
    discount_amount,
    cost_amount,
    shipping_amount,
    order_amount,
    paid_amount,
    refunded_amount,
    loaded_at
from {{ ref('int_orders_joined') }}
{{ new_rows('loaded_at') }}
