{{ config(incremental_strategy='delete+insert', unique_key='"a key"') }}
select id as "a key", kind as "order", amount as "Größe" from {{ source('raw', 'events') }}
