{%- set methods = var('payment_methods') -%}

-- What was really collected, one column per way of paying.
select
    order_id,
    {%- for method in methods %}
    sum(case when payment_method = '{{ method }}' and status = 'captured' then amount else 0 end)
        as {{ method }}_amount,
    {%- endfor %}
    sum(case when status = 'captured' then amount else 0 end) as paid_amount,
    sum(case when status = 'refunded' then amount else 0 end) as refunded_amount,
    count(*) filter (where status = 'failed') as failed_attempts,
    max(loaded_at) as loaded_at
from {{ ref('stg_payments') }}
group by order_id
