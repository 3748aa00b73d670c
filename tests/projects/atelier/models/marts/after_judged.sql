select count(*) as n from {{ ref('mart_judged') }}
