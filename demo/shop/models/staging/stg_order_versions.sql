-- One row per order and day on which something happened to it.
select
    order_id,
    customer_id,
    status,
    channel,
    {{ cents_to_euros('shipping_cents') }} as shipping_amount,
    ordered_at,
    cast(ordered_at as date) as ordered_on,
    status_changed_at,
    extracted_on,
    loaded_at
from {{ source('raw', 'orders') }}
