{{ config(incremental_strategy='delete+insert', unique_key='note') }}
select note, id, batch from {{ source('raw', 'events') }}
