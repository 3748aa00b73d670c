select
    items.ordered_on,
    products.department,
    products.category_name,
    sum(items.quantity) as item_count,
    sum(items.net_amount) as net_amount,
    sum(items.discount_amount) as discount_amount,
    sum(items.margin_amount) as margin_amount,
    round(sum(items.margin_amount) / nullif(sum(items.net_amount), 0), 4) as margin_rate,
    bool_or(products.is_active) as has_active_products
from {{ ref('fct_order_items') }} as items
inner join {{ ref('dim_products') }} as products using (product_id)
group by all
