{{ config(materialized='table') }}
select 1 as day_id from {{ ref('tide_tools', 'shared_calendar') }}
