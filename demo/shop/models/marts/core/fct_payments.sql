{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='payment_id',
        merge_exclude_columns=['first_seen_on'],
    )
}}

-- One row per payment or attempt at one. `first_seen_on` stays as it was when the row came in.
with payments as (

    select *
    from {{ ref('stg_payments') }}
    {{ new_rows('loaded_at') }}

)

select
    payments.payment_id,
    payments.order_id,
    payments.payment_method,
    payments.status,
    payments.amount,
    cast(
        case
            when payments.status = 'captured'
                then payments.amount * methods.fee_rate + methods.fee_fixed_cents / 100.0
            else 0
        end as decimal(18, 2)
    ) as fee_amount,
    payments.created_at,
    payments.updated_at,
    payments.extracted_on as first_seen_on,
    payments.loaded_at
from payments
left join {{ ref('payment_methods') }} as methods using (payment_method)
