with own as (select * from {{ ref('eph_second') }})
select count(*) as n from own
