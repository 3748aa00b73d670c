with prices as (

    select
        product_id,
        count(*) - 1 as price_changes,
        min(list_price) as lowest_list_price,
        max(list_price) as highest_list_price
    from {{ ref('products_history') }}
    group by product_id

)

select
    products.product_id,
    products.sku,
    products.product_name,
    categories.category_name,
    categories.department,
    products.list_price,
    products.unit_cost,
    prices.price_changes,
    prices.lowest_list_price,
    prices.highest_list_price,
    products.is_active
from {{ ref('stg_products') }} as products
left join {{ ref('product_categories') }} as categories using (category_code)
left join prices using (product_id)
