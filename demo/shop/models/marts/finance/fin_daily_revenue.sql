with orders as (

    select
        ordered_on,
        count(*) as order_count,
        sum(order_amount) as order_amount,
        sum(cost_amount) as cost_amount,
        sum(paid_amount) as paid_amount,
        sum(refunded_amount) as refunded_amount
    from {{ ref('fct_orders') }}
    where status != 'cancelled'
    group by ordered_on

),

fees as (

    select
        orders.ordered_on,
        sum(payments.fee_amount) as fee_amount
    from {{ ref('fct_payments') }} as payments
    inner join {{ ref('fct_orders') }} as orders using (order_id)
    group by orders.ordered_on

)

select
    dates.date_day as revenue_date,
    dates.is_weekend,
    orders.order_count,
    orders.order_amount,
    orders.paid_amount,
    orders.refunded_amount,
    coalesce(fees.fee_amount, 0) as fee_amount,
    orders.order_amount - orders.cost_amount - coalesce(fees.fee_amount, 0) as contribution_amount
from {{ ref('dim_dates') }} as dates
inner join orders on dates.date_day = orders.ordered_on
left join fees on dates.date_day = fees.ordered_on
