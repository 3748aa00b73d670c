{{ config(incremental_strategy='delete+insert', unique_key='id') }}
select id, kind, batch from {{ source('raw', 'events') }}
