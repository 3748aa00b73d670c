{{ config(incremental_strategy='merge', unique_key=['id', 'note']) }}
select id, note, amount, batch from {{ source('raw', 'events') }}
