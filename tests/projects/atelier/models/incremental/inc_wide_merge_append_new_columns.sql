{{ config(incremental_strategy='merge', unique_key='id', on_schema_change='append_new_columns') }}
select * from {{ source('raw', 'wide') }}
