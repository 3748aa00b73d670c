{{ config(incremental_strategy='delete+insert', unique_key='id', on_schema_change='append_new_columns') }}
select * from {{ source('raw', 'wide') }}
