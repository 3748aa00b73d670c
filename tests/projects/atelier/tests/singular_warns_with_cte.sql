{{ config(severity='warn', fail_calc='coalesce(sum(n), 0)', limit=10) }}
with counted as (
    select kind, count(*) as n from {{ ref('eph_second') }} group by kind
)
select * from counted where n > 1
