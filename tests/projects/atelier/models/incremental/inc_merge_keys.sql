{{ config(
    incremental_strategy='merge', unique_key=['id', 'kind'],
    merge_update_columns=['amount', 'batch']
) }}
select id, kind, amount, note, batch from {{ source('raw', 'events') }}
