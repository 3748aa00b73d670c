{{ config(incremental_strategy='merge') }}
select id, batch from {{ source('raw', 'events') }}
