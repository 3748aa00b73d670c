{{ config(materialized='ephemeral') }}
with doubled as (select id, kind, amount * 2 as amount from {{ ref('eph_first') }})
select * from doubled
