{{ config(incremental_strategy='merge', unique_key='id', on_schema_change='ignore') }}
select * from {{ source('raw', 'wide') }}
