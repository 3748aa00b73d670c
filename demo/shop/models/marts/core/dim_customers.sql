with consent as (

    select
        customer_id,
        count(*) - 1 as consent_changes
    from {{ ref('customers_history') }}
    group by customer_id

)

select
    customers.customer_id,
    customers.full_name,
    customers.email,
    countries.country_name,
    countries.region,
    customers.is_subscribed,
    consent.consent_changes,
    cast(customers.created_at as date) as customer_since,
    orders.first_ordered_on,
    orders.last_ordered_on,
    coalesce(orders.order_count, 0) as order_count,
    coalesce(orders.lifetime_value, 0) as lifetime_value,
    case
        when orders.order_count >= 5 then 'loyal'
        when orders.order_count >= 2 then 'returning'
        when orders.order_count = 1 then 'new'
        else 'prospect'
    end as segment
from {{ ref('stg_customers') }} as customers
left join {{ ref('countries') }} as countries using (country_code)
left join consent using (customer_id)
left join {{ ref('int_customer_orders') }} as orders using (customer_id)
