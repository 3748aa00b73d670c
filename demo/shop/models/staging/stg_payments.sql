with latest as (

    select *
    from {{ source('raw', 'payments') }}
    qualify row_number() over (partition by payment_id order by extracted_on desc) = 1

)

select
    payment_id,
    order_id,
    payment_method,
    status,
    {{ cents_to_euros('amount_cents') }} as amount,
    created_at,
    updated_at,
    extracted_on,
    loaded_at
from latest
