select *
from {{ ref('stg_order_versions') }}
qualify row_number() over (partition by order_id order by extracted_on desc) = 1
