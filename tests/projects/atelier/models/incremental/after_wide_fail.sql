{{ config(materialized='view') }}
select * from {{ ref('inc_wide_fail') }}
