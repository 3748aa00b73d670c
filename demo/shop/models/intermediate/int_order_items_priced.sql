-- Each line with the list price that was valid when it was ordered, and what the goods cost.
with items as (

    select * from {{ ref('stg_order_items') }}

),

versions as (

    select
        product_id,
        product_name,
        category_code,
        list_price,
        unit_cost,
        -- The catalogue is older than its history: the first version counts from the beginning.
        case
            when row_number() over (partition by product_id order by dbt_valid_from) = 1
                then timestamp '1900-01-01'
            else dbt_valid_from
        end as valid_from,
        coalesce(dbt_valid_to, timestamp '9999-12-31') as valid_to
    from {{ ref('products_history') }}

)

select
    items.order_item_id,
    items.order_id,
    items.line_number,
    items.product_id,
    versions.category_code,
    orders.ordered_at,
    items.quantity,
    items.unit_price,
    versions.list_price,
    items.net_amount,
    cast(items.quantity * greatest(versions.list_price - items.unit_price, 0) as decimal(18, 2))
        as discount_amount,
    cast(items.quantity * versions.unit_cost as decimal(18, 2)) as cost_amount,
    items.extracted_on,
    items.loaded_at
from items
inner join {{ ref('stg_orders') }} as orders using (order_id)
left join versions
    on items.product_id = versions.product_id
    and orders.ordered_at >= versions.valid_from
    and orders.ordered_at < versions.valid_to
