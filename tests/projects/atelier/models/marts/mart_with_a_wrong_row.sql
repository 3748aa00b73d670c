{{ config(materialized='table') }}
select id, kind, amount, note from {{ source('raw', 'events') }}
