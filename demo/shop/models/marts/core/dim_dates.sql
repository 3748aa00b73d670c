with days as (

    select cast(unnest(generate_series(
        date '{{ var("first_date") }}',
        (select max(extracted_on) from {{ ref('stg_order_versions') }}),
        interval 1 day
    )) as date) as date_day

)

select
    date_day,
    extract('isoyear' from date_day) as iso_year,
    extract('week' from date_day) as iso_week,
    cast(date_trunc('month', date_day) as date) as month_start,
    dayname(date_day) as weekday,
    isodow(date_day) >= 6 as is_weekend
from days
