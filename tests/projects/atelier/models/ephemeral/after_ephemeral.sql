{{ config(materialized='table') }}
select kind, sum(amount) as amount, count(*) as n
from {{ ref('eph_second') }}
left join (select id as other from {{ ref('eph_first') }}) as f on f.other = id
group by kind
