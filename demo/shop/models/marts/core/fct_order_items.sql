{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='order_id',
    )
}}

-- One row per order line. The lines of an order that was touched are replaced as a whole, so that
-- a line which was dropped from the order goes away. The last batch is read again on purpose: a
-- batch that was loaded a second time replaces what it brought the first time.
select
    order_item_id,
    order_id,
    line_number,
    product_id,
    category_code,
    quantity,
    unit_price,
    list_price,
    net_amount,
    discount_amount,
    cost_amount,
    net_amount - cost_amount as margin_amount,
    cast(ordered_at as date) as ordered_on,
    loaded_at
from {{ ref('int_order_items_priced') }}
{{ new_rows('loaded_at', '>=') }}
