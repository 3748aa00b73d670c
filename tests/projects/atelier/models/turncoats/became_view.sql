{{ config(materialized='incremental', unique_key='id') }}
select id, '{{ "later" if is_incremental() else "first" }}' as rendering from {{ source('raw', 'events') }}
