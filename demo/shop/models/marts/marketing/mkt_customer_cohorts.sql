-- How many customers of each first month come back, and how much they spend.
with orders as (

    select
        customer_id,
        ordered_on,
        paid_amount,
        min(ordered_on) over (partition by customer_id) as first_ordered_on
    from {{ ref('fct_orders') }}
    where status != 'cancelled'

)

select
    customers.region,
    cast(date_trunc('month', orders.first_ordered_on) as date) as cohort_month,
    date_diff('month', orders.first_ordered_on, orders.ordered_on) as months_since_first,
    count(distinct orders.customer_id) as customer_count,
    count(*) as order_count,
    sum(orders.paid_amount) as paid_amount
from orders
inner join {{ ref('dim_customers') }} as customers using (customer_id)
group by all
