{{ config(materialized='table') }}
select id, kind, amount, note, batch from {{ source('raw', 'events') }}
