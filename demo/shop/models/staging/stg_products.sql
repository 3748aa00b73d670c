with catalogue as (

    select *
    from {{ source('raw', 'products') }}
    where extracted_on = (select max(extracted_on) from {{ source('raw', 'products') }})

)

select
    product_id,
    sku,
    product_name,
    category_code,
    {{ cents_to_euros('list_price_cents') }} as list_price,
    {{ cents_to_euros('unit_cost_cents') }} as unit_cost,
    is_active,
    updated_at
from catalogue
