{{ config(materialized='view') }}
select count(*) as n from {{ source('raw', 'events') }}
