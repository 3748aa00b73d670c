{{ config(materialized='table') }}
select count(*) as n from {{ source('raw', 'events') }}
