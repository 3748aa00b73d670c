{{ config(incremental_strategy='append', full_refresh=false) }}
select id, batch from {{ source('raw', 'events') }}
