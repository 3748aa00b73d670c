{{ config(incremental_strategy='delete+insert', unique_key='id', on_schema_change='ignore') }}
select * from {{ source('raw', 'wide') }}
