{{ config(unique_key='id') }}
select id, kind, amount, batch from {{ source('raw', 'events') }}
