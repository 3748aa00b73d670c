{{ config(materialized='table') }}
select count(*) as n from {{ ref('mart_with_a_wrong_row') }}
