-- A product has exactly one open version in its history.
select product_id
from {{ ref('products_history') }}
group by product_id
having count(*) filter (where dbt_valid_to is null) != 1
