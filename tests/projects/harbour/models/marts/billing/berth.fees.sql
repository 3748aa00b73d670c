{{ config(alias='berth_fees') }}
select berth_id, rate from {{ ref('dim_berths') }} join {{ ref('rates') }} on true
