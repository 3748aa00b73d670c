with latest as (

    select *
    from {{ source('raw', 'customers') }}
    qualify row_number() over (partition by customer_id order by extracted_on desc) = 1

)

select
    customer_id,
    first_name,
    last_name,
    first_name || ' ' || last_name as full_name,
    lower(email) as email,
    country_code,
    is_subscribed,
    created_at,
    updated_at
from latest
