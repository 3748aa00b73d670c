-- An order is always delivered with all of its lines, so a line that is missing from the latest
-- delivery of its order has been dropped from it.
with latest as (

    select *
    from {{ source('raw', 'order_items') }}
    qualify rank() over (partition by order_id order by extracted_on desc) = 1

)

select
    order_item_id,
    order_id,
    line_number,
    product_id,
    quantity,
    {{ cents_to_euros('unit_price_cents') }} as unit_price,
    {{ cents_to_euros('quantity * unit_price_cents') }} as net_amount,
    extracted_on,
    loaded_at
from latest
