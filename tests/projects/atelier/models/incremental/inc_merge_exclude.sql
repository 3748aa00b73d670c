{{ config(incremental_strategy='merge', unique_key='id', merge_exclude_columns=['first_batch']) }}
select id, amount, batch as first_batch, batch as last_batch from {{ source('raw', 'events') }}
